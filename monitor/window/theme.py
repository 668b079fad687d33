"""Colours, type and spacing of the window, and the style sheet made of them. A light theme; no Qt needed to read it.

No red and no green: nothing here judges. Blue-grey is the present, grey is unknown. Every pair of text and ground in
`TEXT_PAIRS` keeps WCAG contrast AA (4.5 to 1).
"""

from __future__ import annotations

from typing import Final

GROUND: Final = "#EEF2F5"
CARD: Final = "#FFFFFF"
EDGE: Final = "#DCE3E9"
INK: Final = "#17242F"
INK_SOFT: Final = "#51616F"
ACCENT: Final = "#1C6486"
ACCENT_SOFT: Final = "#E3EFF5"
ACCENT_DARK: Final = "#134A64"
LUMBAR: Final = "#8A5A00"
UNKNOWN: Final = "#767F87"
UNKNOWN_SOFT: Final = "#E6E9EC"
PROMPT: Final = "#FBF4E4"
PROMPT_EDGE: Final = "#E5D3A6"
NOTICE: Final = "#3D4A56"
BODY: Final = "#CFDDE7"
BODY_UNKNOWN: Final = "#E1E4E7"

BANNER: Final = {"live": "#1C6486", "replay": "#5A4A8C", "simulated": "#855310", "ended": "#5C666F"}

TEXT_PAIRS: Final = (
    (INK, CARD),
    (INK, GROUND),
    (INK_SOFT, CARD),
    (INK_SOFT, GROUND),
    (INK, PROMPT),
    (INK_SOFT, PROMPT),
    (ACCENT_DARK, ACCENT_SOFT),
    (LUMBAR, CARD),
    (CARD, ACCENT),
    (CARD, ACCENT_DARK),
    (CARD, NOTICE),
    (INK_SOFT, UNKNOWN_SOFT),
    *((CARD, ground) for ground in BANNER.values()),
)

FONTS: Final = ("Inter", "Segoe UI", "SF Pro Text", "Cantarell", "Ubuntu", "Noto Sans", "DejaVu Sans")
SCALES: Final = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75)
SCALE_START: Final = SCALES.index(1.0)


def sizes_pt(base_pt: float) -> dict[str, float]:
    """Type sizes by role, from the size of body text."""
    return {
        "small": 0.88 * base_pt,
        "body": base_pt,
        "large": 1.25 * base_pt,
        "value": 1.6 * base_pt,
        "state": 2.3 * base_pt,
    }


def style_sheet(base_pt: float) -> str:
    """The window's style sheet for body text of `base_pt` points."""
    pt = {role: f"{size:.1f}pt" for role, size in sizes_pt(base_pt).items()}
    families = ", ".join(f'"{family}"' for family in FONTS)
    banners = "\n".join(
        f'#banner[mode="{mode}"] {{ background: {colour}; }}' for mode, colour in BANNER.items()
    )
    return f"""
    * {{ font-family: {families}; font-size: {pt["body"]}; color: {INK}; }}
    QMainWindow, #page {{ background: {GROUND}; }}
    #card {{ background: {CARD}; border: 1px solid {EDGE}; border-radius: 12px; }}
    #card[tone="prompt"] {{ background: {PROMPT}; border-color: {PROMPT_EDGE}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    {banners}
    #banner QLabel {{ color: {CARD}; }}
    #mode {{ font-weight: 700; font-size: {pt["large"]}; letter-spacing: 1px; }}
    #escalation {{ background: {NOTICE}; color: {CARD}; padding: 10px 20px; font-weight: 600; }}
    #state {{ font-size: {pt["state"]}; font-weight: 600; }}
    #value {{ font-size: {pt["value"]}; font-weight: 600; color: {ACCENT_DARK}; }}
    #title {{ font-size: {pt["large"]}; font-weight: 600; }}
    #heading {{ font-weight: 600; }}
    #soft {{ color: {INK_SOFT}; }}
    #note {{ color: {INK_SOFT}; font-size: {pt["small"]}; }}
    #value[known="false"], #state[known="false"] {{ color: {UNKNOWN}; }}
    #lumbar {{ color: {LUMBAR}; font-weight: 600; }}
    #lumbar[known="false"] {{ color: {INK_SOFT}; font-weight: 400; }}
    #empty {{ background: {UNKNOWN_SOFT}; border-radius: 10px; }}
    #stepNumber {{ background: {UNKNOWN_SOFT}; color: {INK_SOFT}; border-radius: 14px; font-weight: 600; }}
    #stepNumber[now="true"] {{ background: {ACCENT}; color: {CARD}; }}
    QPushButton {{ background: {CARD}; border: 1px solid #B9C5CF; border-radius: 8px; padding: 7px 14px; min-height: 20px; }}
    QPushButton:hover {{ background: {ACCENT_SOFT}; }}
    QPushButton:pressed {{ background: {EDGE}; }}
    QPushButton:focus {{ border: 2px solid {ACCENT}; padding: 6px 13px; }}
    QPushButton:disabled {{ color: {UNKNOWN}; background: {GROUND}; border-color: {EDGE}; }}
    QPushButton#main {{ background: {ACCENT}; color: {CARD}; border-color: {ACCENT}; font-weight: 600; }}
    QPushButton#main:hover {{ background: {ACCENT_DARK}; }}
    QPushButton#main:focus {{ border: 2px solid {INK}; }}
    QPushButton#main:disabled {{ background: {UNKNOWN_SOFT}; color: {UNKNOWN}; border-color: {EDGE}; }}
    QPushButton::menu-indicator {{ subcontrol-position: right center; right: 8px; width: 8px; }}
    QMenu {{ background: {CARD}; border: 1px solid {EDGE}; padding: 4px; }}
    QMenu::item {{ padding: 7px 22px; border-radius: 6px; }}
    QMenu::item:selected {{ background: {ACCENT_SOFT}; color: {ACCENT_DARK}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: #B9C5CF; border-radius: 5px; min-height: 30px; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        height: 0; background: transparent; }}
    QToolTip {{ background: {CARD}; color: {INK}; border: 1px solid {EDGE}; }}
    """


def contrast(ink: str, ground: str) -> float:
    """WCAG 2.2 contrast ratio of two `#RRGGBB` colours, 1..21."""
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
