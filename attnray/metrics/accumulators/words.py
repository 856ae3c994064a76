"""Attention between word pieces to attention between words (section 4.1 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

WordOfPiece = NDArray[np.integer]


def to_words(attention: Tensor, word_of_piece: Sequence[WordOfPiece], words: int) -> Tensor:
    """Attention to a word: the sum over its pieces.

    Args:
        attention: float64, (example, …, query, key).
        word_of_piece: per example and key the word, -1 for special tokens.
        words: the most words of an example.

    Returns:
        (example, …, query, word); words past the end, or without pieces, get 0.
    """
    member = membership(word_of_piece, words).to(attention.device)
    rows = attention.flatten(1, -2)
    return torch.bmm(rows, member).reshape(*attention.shape[:-1], words)


def from_words(
    rows: Tensor, word_of_piece: Sequence[WordOfPiece], words: int, merge: str
) -> Tensor:
    """Attention from a word: the mean over its pieces, their first, or elementwise maximum.

    Args:
        rows: float64, (example, …, query piece, key).
        word_of_piece: per example and query piece the word, -1 for special tokens.
        words: the most words of an example.
        merge: mean, first or max.

    Returns:
        (example, word, …, key); 0 from words past the end or without pieces.
    """
    moved = rows.movedim(-2, 1)
    member = membership(word_of_piece, words).to(rows.device).transpose(1, 2)
    if merge == "max":
        return _max_over(moved, member)
    if merge == "first":
        member = member * (member.cumsum(2) == 1)
    # The sum is divided, not multiplied by a reciprocal: equal pieces keep their value.
    sums = torch.bmm(member, moved.flatten(2)).reshape(len(moved), words, *moved.shape[2:])
    counts = member.sum(2).clamp(min=1)
    return sums / counts.reshape(*counts.shape, *[1] * (moved.dim() - 2))


def membership(word_of_piece: Sequence[WordOfPiece], words: int) -> Tensor:
    """1 where a piece belongs to a word: float64, (example, piece, word)."""
    stacked = torch.from_numpy(np.stack(word_of_piece).astype(np.int64))
    return (stacked[..., None] == torch.arange(words)).to(torch.float64)


def _max_over(rows: Tensor, member: Tensor) -> Tensor:
    """The elementwise maximum over each word's pieces; weights are never negative."""
    merged = torch.zeros(*member.shape[:2], *rows.shape[2:], dtype=rows.dtype, device=rows.device)
    for example, piece in (member.sum(1) > 0).nonzero().tolist():
        word = int(member[example, :, piece].argmax())
        torch.maximum(merged[example, word], rows[example, piece], out=merged[example, word])
    return merged
