"""Finding conversations by their words."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.conversations.models import Word

# A word that stands in half of all conversations is no search. The newest are enough.
LOOKED_THROUGH = 4000
FEW = 500
MOST_FOUND = 1000


def with_words(session: Session, publication_id: int, wanted: Sequence[str]) -> list[int]:
    """Conversations in which every word begins something, the newest first."""
    found = min(((_with_word(session, publication_id, word), word) for word in wanted), key=lambda one: len(one[0]))
    ids, rarest = found
    for word in wanted:
        if word != rarest:
            # What few conversations have is looked for in these alone; otherwise both sets are the newest ones.
            ids = ids & _with_word(session, publication_id, word, ids if len(ids) <= FEW else None)
    return sorted(ids, reverse=True)[:MOST_FOUND]


def _with_word(session: Session, publication_id: int, word: str, among: set[int] | None = None) -> set[int]:
    """Conversations with a word, and with words that begin with it."""
    query = select(Word.conversation_id).where(Word.publication_id == publication_id)
    if among is not None:
        query = query.where(Word.conversation_id.in_(among))
    # By number and not by word: the newest conversations have the highest numbers.
    ids = set(session.scalars(query.where(Word.word == word).order_by(Word.conversation_id.desc()).limit(LOOKED_THROUGH)))
    if len(word) > 2 and not word.startswith("#"):
        begins = query.where(Word.word > word, Word.word < word + "\U0010ffff")
        ids |= set(session.scalars(begins.limit(LOOKED_THROUGH)))
    return ids
