"""The last look before a letter leaves (RULES §6). Pure: facts in, findings out; each with a why, a how, and a way to mend it."""
