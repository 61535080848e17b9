# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the bursting page looks: two palettes, the same rules for screens of any width, and for paper."""

from __future__ import annotations

# Text on ``card`` and ``page`` has a contrast of at least 4.5, shapes of at least 3 on what is behind them.
LIGHT = {
    "page": "#f2f5fb",
    "card": "#ffffff",
    "ink": "#162036",
    "soft": "#526079",
    "line": "#dbe2ef",
    "track": "#e9eef7",
    "accent": "#2456d3",
    "ok": "#0f7048",
    "near": "#8a5200",
    "reached": "#b3262e",
    "fill-ok": "#2f6fe4",
    "fill-near": "#bb6a00",
    "fill-reached": "#d0353d",
    "tint-ok": "#e3f5ec",
    "tint-near": "#fff1d9",
    "tint-reached": "#fde7e7",
    "tint-info": "#e6edfd",
}
DARK = {
    "page": "#0d1220",
    "card": "#161e30",
    "ink": "#e9eef9",
    "soft": "#a6b2ca",
    "line": "#2a3550",
    "track": "#232d45",
    "accent": "#8fb1ff",
    "ok": "#63d8a4",
    "near": "#f4b950",
    "reached": "#ff918a",
    "fill-ok": "#5b93ff",
    "fill-near": "#e59c2f",
    "fill-reached": "#f2625f",
    "tint-ok": "#123528",
    "tint-near": "#3a2b0d",
    "tint-reached": "#421c20",
    "tint-info": "#1b2a50",
}
# The band at the top, dark in both: from, to; its text is white.
MOODS = {
    "quiet": ("#17307f", "#0b6b7d"),
    "ailing": ("#17307f", "#8a2f62"),
    "bursting": ("#17307f", "#5a3bc4"),
    "near": ("#3b2a6b", "#935600"),
    "reached": ("#4a1d5e", "#b5282f"),
    "off": ("#2b3446", "#4c5870"),
}
FAVICON_COLOURS = {
    "quiet": "#1f9d68",
    "ailing": "#b83280",
    "bursting": "#6a4be0",
    "near": "#e08a00",
    "reached": "#d0353d",
    "off": "#77839a",
}


def _palette(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere;-webkit-text-size-adjust:100%}
p,h1,h2,h3,ul{margin:0;padding:0}
.wrap{max-width:1180px;margin:0 auto;padding:0 24px;position:relative}
header{position:relative;overflow:hidden;color:#fff;padding:34px 0 76px;background:linear-gradient(115deg,var(--from),var(--to))}
header .cloud{position:absolute;right:-20px;top:-14px;width:430px;fill:#fff;opacity:.09}
.eyebrow{font-weight:600;letter-spacing:.01em;opacity:.95}
h1{font-size:clamp(1.75rem,4.6vw,2.75rem);line-height:1.15;font-weight:750;letter-spacing:-.02em;margin:2px 0 12px;display:flex;gap:.4em;align-items:center}
h1 .icon{width:.85em;height:.85em;stroke-width:2.6}
.facts{display:flex;flex-wrap:wrap;gap:2px 22px;overflow:clip}
.facts span+span::before,.beside span+span::before{content:"";display:inline-block;width:4px;height:4px;border-radius:50%;background:currentColor;opacity:.6;
margin:0 9px 3px -13px}
.when{font-size:.9rem;opacity:.92}
main{padding-bottom:48px}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:16px;margin-top:-48px;position:relative}
.tile,.card,.empty,.well,.issues li{background:var(--card);border:1px solid var(--line);border-radius:14px;
box-shadow:0 1px 2px rgba(15,25,50,.05),0 8px 24px -14px rgba(15,25,50,.22)}
.tile{padding:16px 18px}
.tile strong{font-size:2.1rem;line-height:1.2;font-weight:700;letter-spacing:-.02em}
.tile span,.soft,.lead{color:var(--soft)}
.label{color:var(--soft);font-size:.875rem;font-weight:600}
.tile.alert{border-top:4px solid var(--fill-reached);padding-top:13px}
.tile.alert strong{color:var(--reached)}
section{margin-top:36px}
h2{font-size:1.3rem;letter-spacing:-.01em}
.lead{max-width:60em;margin:2px 0 14px}
section>h2+:not(.lead){margin-top:12px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(380px,100%),1fr));gap:16px}
.card{padding:18px 20px;min-width:0}
.card-near{border-top:4px solid var(--fill-near);padding-top:15px}
.card-reached{border-top:4px solid var(--fill-reached);padding-top:15px}
.cardhead{display:flex;flex-wrap:wrap;align-items:center;gap:6px 10px}
.cardhead h3{margin-right:auto}
h3{font-size:1.1rem;min-width:0}
.target{color:var(--soft);font-size:.9rem}
.target .icon{margin-right:6px;vertical-align:-.14em}
.target b{color:var(--ink);font-weight:600}
.figure{margin-top:8px;color:var(--soft)}
.figure strong{font-size:2.3rem;line-height:1.15;letter-spacing:-.025em;color:var(--ink);font-weight:700}
.beside{display:flex;flex-wrap:wrap;gap:2px 22px;overflow:clip;color:var(--soft);font-size:.9rem}
.nobar{color:var(--soft);margin-top:8px}
.icon{width:1em;height:1em;flex:none;fill:none;stroke:currentColor;stroke-width:2.4;stroke-linecap:round;stroke-linejoin:round}
.icon-reached{fill:currentColor;stroke-width:1.2}
.chip{display:inline-flex;align-items:center;gap:6px;border-radius:99px;padding:2px 11px;font-size:.82rem;font-weight:650;
background:var(--tint-ok);color:var(--ok)}
.chip-near,.chip-warning{background:var(--tint-near);color:var(--near)}
.chip-reached,.chip-error{background:var(--tint-reached);color:var(--reached)}
.chip-information{background:var(--tint-info);color:var(--accent)}
.bar{display:block;width:100%;height:26px;border-radius:7px;margin:10px 0 8px;overflow:hidden}
.track{fill:var(--track)}
.reserve{fill:url(#hatch)}
#hatch path{stroke:var(--soft);stroke-width:1.4;opacity:.5;fill:none}
.used-ok{fill:var(--fill-ok)}.used-near{fill:var(--fill-near)}.used-reached{fill:var(--fill-reached)}
.cell{stroke:var(--card);stroke-width:1.2}
.mark{stroke:var(--ink);stroke-width:2.5}
.rack{list-style:none;display:grid;grid-template-columns:repeat(auto-fill,minmax(78px,1fr));gap:12px 8px;
margin-top:16px;padding-top:14px;border-top:1px solid var(--line)}
.rack li{display:flex;flex-direction:column;align-items:center;text-align:center;font-size:.82rem;line-height:1.35;min-width:0}
.slotname{max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:600}
.slot{width:40px;height:48px;margin-bottom:4px}
.case{fill:var(--track);stroke:var(--soft);stroke-width:1.8}
.slot-stopped .case,.slot-stopping .case{stroke-dasharray:4 3.2}
.slot-running .case{stroke:var(--fill-ok);stroke-width:2.2}
.slot-starting .case{stroke:var(--fill-near);stroke-width:2.2}
.level{fill:var(--fill-ok)}.lamp{fill:var(--ok);stroke:var(--card);stroke-width:1.5}.bolt{fill:var(--fill-near)}
.rest{fill:none;stroke:var(--soft);stroke-width:2.5;stroke-linecap:round}
.tablecard{padding:4px 0;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.94rem}
th,td{padding:11px 14px;text-align:left;vertical-align:top;font-weight:400;overflow-wrap:break-word}
th:first-child{padding-left:20px}td:last-child,thead th:last-child{padding-right:20px}
th[scope=row]{overflow-wrap:anywhere;min-width:9em}
thead th{color:var(--soft);font-size:.82rem;font-weight:600;white-space:nowrap;padding-bottom:8px}
tbody tr{border-top:1px solid var(--line)}
th .small,td .small{display:block}
.small{font-size:.82rem;line-height:1.35}
.mono{font-family:ui-monospace,"Cascadia Mono",Menlo,"DejaVu Sans Mono",monospace;font-size:.85em;white-space:nowrap}
.state{font-weight:650;white-space:nowrap}
.state::before{content:"";display:inline-block;width:9px;height:9px;margin-right:8px;border-radius:50%;border:2px solid var(--soft)}
.state-running::before{background:var(--ok);border-color:var(--ok)}
.state-starting::before,.state-stopping::before{border-color:var(--fill-near);border-radius:2px;transform:rotate(45deg)}
.flag{display:block;width:fit-content;margin-top:3px;background:var(--tint-near);color:var(--near);
border-radius:6px;padding:0 7px;font-size:.82rem;font-weight:600;white-space:nowrap}
.gauge{display:block;width:110px;max-width:100%;height:6px;border-radius:3px;margin:5px 0 3px}
.gauge .load{fill:var(--fill-ok)}.gauge .age{fill:var(--soft)}
.issues{list-style:none;display:grid;gap:10px}
.issues li{display:flex;gap:12px;padding:12px 16px;border-left:4px solid var(--fill-near)}
.issues .icon{color:var(--near);width:1.25em;height:1.25em;margin-top:.12em}
.findings{display:grid;gap:12px}
.finding{border-left:4px solid var(--fill-ok)}
.finding-error{border-left-color:var(--fill-reached)}.finding-warning{border-left-color:var(--fill-near)}.finding-ok{border-left-color:var(--ok)}
.finding p{margin-top:6px}
.finding .cardhead code{color:var(--soft)}
code{font-family:ui-monospace,"Cascadia Mono",Menlo,"DejaVu Sans Mono",monospace;font-size:.86em;background:var(--track);border-radius:5px;padding:1px 6px}
.empty,.well{padding:26px 24px}
.empty{border-style:dashed;text-align:center;color:var(--soft)}
.empty p+p{margin-top:8px}
.empty code{color:var(--ink)}
.well{display:flex;gap:12px;align-items:center;color:var(--ok);font-weight:600}
.well .icon{width:1.4em;height:1.4em}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media screen and (max-width:900px){.tiles{grid-template-columns:repeat(2,1fr)}}
@media screen and (max-width:760px){
.wrap{padding:0 16px}
header{padding:24px 0 68px}
header .cloud{width:270px}
.tiles{gap:10px}
.tile{padding:12px 14px}.tile strong{font-size:1.7rem;display:block}.tile.alert{padding-top:9px}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,th[scope=row],td{display:block}
tbody tr{padding:12px 18px}
tbody tr:first-child{border-top:0}
th[scope=row],td,td:last-child{padding:2px 0}
th[scope=row]{padding-bottom:5px}
td{display:grid;grid-template-columns:minmax(0,8.5em) minmax(0,1fr);gap:8px}
.flag,.mono,.state{white-space:normal;overflow-wrap:anywhere}
td.none{display:none}
td::before{content:attr(data-label);color:var(--soft);font-size:.9rem}
.gauge{width:100%}
}
@media (prefers-reduced-motion:no-preference){
.slot-starting .bolt{animation:glow 1.6s ease-in-out infinite alternate}
@keyframes glow{from{opacity:.5}to{opacity:1}}
}
@media print{
@page{margin:14mm}
html{font-size:9pt}
body{background:#fff;font-size:1rem}
header{background:none;color:#000;padding:0 0 12px}
header .cloud,.noprint{display:none}
.wrap{max-width:none;padding:0}
.tiles{margin-top:0;gap:8px}.tile{padding:8px 10px}.tile.alert{padding-top:5px}.tile strong,.figure strong{font-size:1.6rem}
.cards{grid-template-columns:1fr 1fr;gap:10px}.card{padding:12px 14px}
table{font-size:.9rem}th,td{padding:5px 6px}.mono{font-size:.8em}.rack{grid-template-columns:repeat(auto-fill,minmax(56px,1fr))}
.tile,.card,.empty,.well,.issues li{box-shadow:none;break-inside:avoid}.tablecard{break-inside:auto;padding:0}
section{margin-top:18px}h2,.lead{break-after:avoid}tr{break-inside:avoid}
svg,.chip,.flag,.state::before{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""

STYLE = (
    f":root{{color-scheme:light dark;{_palette(LIGHT)}}}"
    + f"@media screen and (prefers-color-scheme:dark){{:root{{{_palette(DARK)}}}}}"
    + "".join(f".mood-{name}{{--from:{start};--to:{end}}}" for name, (start, end) in MOODS.items())
    + _RULES
)
