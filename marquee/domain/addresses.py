"""E-mail addresses: one form for all spellings of an address.

Accounts are unique by this form, and attempts to log in are counted by it. So another spelling of an address neither
makes a second account nor gives a second set of guesses.
"""

import unicodedata


def folded_address(email: str) -> str:
    """The address without surrounding spaces, case-folded, in Unicode NFKC."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()
