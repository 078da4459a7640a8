"""Files in Chinese and Western European encodings: read as the written text, or refused."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import etsopt
from benchmarks.reliability.row import Found
from etsopt.common.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16-le", "utf-16-be", "big5", "latin-1")
CONTENTS = 60

CHINESE = (
    "安徽 河北 云南 山东 内蒙古 新疆 广西 山西 河南 江苏 芜湖 武安 曲靖 包头 滨州 唐山 铜陵 攀枝花 日照 张家港 "
    "海螺 水泥 钢铁 铝业 魏桥 建材 集团 有限公司 股份 一号线 二期 熟料 炼铁厂 电解 系列 东区 热电 环保 新材料 分厂"
)
RARE = "镕 喆 堃 淼 翀 昇 鑫 犇 垚 骉 㐂 𠮷 䶮"
TRADITIONAL = (
    "台灣水泥 亞洲水泥 中國鋼鐵 花蓮廠 和平廠 高雄 臺北市 新竹製造廠 股份有限公司 環球 大湖廠 香港 煉鋁 電解 第二號窯 "
    "東聯 中鴻鋼鐵 燁聯 豐興 聯合 信大 南聖湖 蘇澳 澎湖 嘉義縣 國際 廣東 雲林 興業 實業"
)
WESTERN = (
    "Böhler Zürcher Zementhütte Société générale Compañía Ärzte Häagen Düsseldorf Çimento Fábrica São Paulo Ålborg "
    "Øresund Gjøvik Köln Español Malmö Höganäs Forêt MÜLLER ÖBB Île-de-France Naïve Fußgönheim d'Obourg Aciérie"
)
PLAIN = ("Line 1", "No. 2", "A-3", "(new)", "B座")

POLICY = b'year = 2025\n\n[rule]\nname = "cn-2025"\n\n[provinces]\nnames = "any"\n'


def names(random: Random, encoding: str) -> list[str]:
    """Return names of units and provinces in an encoding, with occasional rare characters."""
    pool = {"big5": TRADITIONAL, "latin-1": WESTERN}.get(encoding, CHINESE).split()
    plain = [word for word in PLAIN if _fits(word, encoding)]
    rare = [word for word in RARE.split() if encoding != "latin-1" and _fits(word, encoding)]
    found = []
    for _ in range(random.randrange(2, 9)):
        parts = random.sample(pool, random.randrange(1, 5))
        parts += random.sample(plain, random.random() < 0.3)
        parts += random.sample(rare, bool(rare) and random.random() < 0.2)
        found.append((" " if encoding == "latin-1" else "").join(parts))
    return found


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def encodings(numbers: Iterable[int]) -> Found:
    """Write a file and read it; trial ``n`` takes the encoding ``n`` modulo their number."""
    found = Found()
    for number in numbers:
        encoding, random = ENCODINGS[number % len(ENCODINGS)], Random(number)
        texts = names(random, encoding)
        header = "unit_id,enterprise_id,name,sector,province,emissions_tco2e,output_t\n"
        rows = [f"u{row},firm,{text},cement,{text[:20].strip()},780000,1000000\n" for row, text in enumerate(texts)]
        content = MARKS.get(encoding, b"") + "".join([header, *rows]).encode(encoding)
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "units.csv").write_bytes(content)
            (Path(place) / "policy.toml").write_bytes(POLICY)
            try:
                with warnings.catch_warnings():
                    # Names that are no provinces are reported, and read as they are.
                    warnings.simplefilter("ignore", etsopt.AssumedWarning)
                    read = etsopt.read(place).units["name"].tolist()
            except DataError as error:
                found.saw(f"{encoding} refused")
                if encoding.startswith("utf-8") or "units.csv: is " not in str(error):
                    found.failed(number, f"{encoding}: {error}")
                continue
        found.saw(f"{encoding} read")
        if read != texts:
            found.failed(number, f"{encoding}: {texts} became {read}")
    return found
