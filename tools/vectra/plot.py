# SPDX-License-Identifier: MIT
"""Draws benchmark figures as an SVG: a bar for each, on a logarithmic scale, with its limit as a line across."""

import math
from xml.sax.saxutils import escape

LEFT, WIDTH, BAR, GAP, TOP = 240, 560, 12, 8, 50
COLOURS = {"x86_64": "#3569a8", "aarch64": "#c2682d"}


def scale(value, highest):
    """How long a bar is."""
    return WIDTH * math.log10(max(value, 1)) / max(math.log10(max(highest, 10)), 1)


def svg(rows, limits):
    """The picture of all rows, grouped by name in the order in which they came."""
    names = list(dict.fromkeys((row["group"], row["name"]) for row in rows))
    figures = [row["value"] for row in rows] + [v for n in limits.values() for v in n.values() if isinstance(v, int)]
    highest = max(figures, default=10)
    out, y = [], TOP
    for decade in range(int(math.log10(max(highest, 10))) + 1):
        x = LEFT + scale(10 ** decade, highest)
        out.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="%BOTTOM%" stroke="#ddd"/>'
                   f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#777">{10 ** decade:,}</text>')
    for group, name in names:
        mine = [row for row in rows if (row["group"], row["name"]) == (group, name)]
        out.append(f'<text x="{LEFT - 8}" y="{y + BAR}" text-anchor="end">{escape(name)}</text>')
        for row in mine:
            length = scale(row["value"], highest)
            out.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
                       f'fill="{COLOURS.get(row["arch"], "#555")}"/>'
                       f'<text x="{LEFT + length + 4:.1f}" y="{y + BAR - 2}" font-size="10">{row["value"]:,}</text>')
            limit = limits.get(name, {}).get(row["arch"])
            if limit:
                x = LEFT + scale(limit, highest)
                out.append(f'<line x1="{x:.1f}" y1="{y - 2}" x2="{x:.1f}" y2="{y + BAR + 2}" stroke="#b00" '
                           f'stroke-width="2"><title>at most {limit:,}</title></line>')
            y += BAR + 2
        y += GAP
    legend = "".join(f'<rect x="{LEFT + 110 * i}" y="8" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{LEFT + 110 * i + 16}" y="18">{arch}</text>'
                     for i, (arch, colour) in enumerate(COLOURS.items()))
    body = "\n".join(out).replace("%BOTTOM%", str(y))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 120}" height="{y + 10}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n'
            f'<text x="8" y="18">instructions, red: limit</text>\n{legend}\n{body}\n</svg>\n')
