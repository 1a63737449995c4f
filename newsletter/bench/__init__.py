"""The figures of the README, each with its limit measured in the same run."""
