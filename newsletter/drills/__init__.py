"""The rehearsal: a platform is gone. Who can still be reached, what stops, and what is ready?"""
