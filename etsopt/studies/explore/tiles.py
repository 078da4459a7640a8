"""Provinces of China as tiles of a grid, which draws no boundary."""

from __future__ import annotations

from etsopt.data.tables.provinces import SHORT

GRID = """
..  ..  ..  ..  ..  ..  ..  ..  HL
XJ  ..  ..  ..  ..  NM  BJ  LN  JL
BT  QH  GS  NX  SN  SX  HE  TJ  ..
..  XZ  SC  CQ  HB  HA  SD  JS  ..
..  ..  YN  GZ  HN  JX  AH  ZJ  SH
..  ..  ..  ..  GX  GD  FJ  ..  ..
..  ..  ..  ..  HI  ..  ..  ..  ..
"""
"""Places of the provinces, by letters of GB/T 2260; the Corps, which is no province of the standard, is BT (兵团)."""

LETTERS = "BJ TJ HE SX NM LN JL HL SH JS ZJ AH FJ JX SD HA HB HN GD GX HI CQ SC GZ YN XZ SN GS QH NX XJ BT"
"""Letters of the provinces in their order."""

_NAMES = dict(zip(LETTERS.split(), SHORT, strict=True))

TILES = {
    _NAMES[letters]: (column, row, letters)
    for row, line in enumerate(GRID.split("\n")[1:-1])
    for column, letters in enumerate(line.split())
    if letters in _NAMES
}
"""Column, row and letters of each province by its name."""
