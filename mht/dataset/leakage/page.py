"""leakage.html: each leak with both pictures side by side. One file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mht.dataset.gallery.picture import data_uri
from mht.dataset.leakage.gate import Leak
from mht.records import NormalisedImage


@dataclass(frozen=True, slots=True)
class Finding:
    """A leak, the image's name in its source, and both pictures where they can still be read."""

    leak: Leak
    name: str
    image: NormalisedImage | None
    picture: NormalisedImage | None


_FOUND_BY = {
    "bytes": "the same file",
    "hash": "the same picture, whole",
    "detail": "the same picture, cut or altered",
}
_DONE = {
    "fail": "The build stopped because of them and closed no dataset.",
    "quarantine": "They are left out of the dataset.",
    "report": "They are part of the dataset, as <code>leakage.action=report</code> asks.",
}


def page(
    run: str, action: str, images: int, asked: Mapping[str, int], findings: Sequence[Finding], leaks: int
) -> str:
    """The page. `asked` is how many pictures each benchmark has, `leaks` how many leaks there are in all."""
    against = ", ".join(f"{n:,} of <code>{escape(name)}</code>" for name, n in asked.items())
    if leaks:
        head = f"{leaks:,} of {images:,} images show a picture of a benchmark. {_DONE[action]}"
    else:
        head = f"None of {images:,} images shows a picture of a benchmark."
    more = ""
    if leaks > len(findings):
        more = f"<p>Shown are {len(findings):,} of {leaks:,}; <code>leakage.parquet</code> has them all.</p>"
    body = "\n".join(_figure(finding) for finding in findings)
    return _PAGE.format(run=escape(run), head=head, against=against, more=more, body=body)


def _figure(finding: Finding) -> str:
    leak = finding.leak
    likeness = "no detail to compare" if leak.likeness is None else f"likeness {leak.likeness:.3f}"
    shown = ", ".join(
        f"{side} {_share(value)}"
        for side, value in (
            ("left", leak.left),
            ("top", leak.top),
            ("right", 1 - leak.right),
            ("bottom", 1 - leak.bottom),
        )
    )
    facts = f"{_FOUND_BY[leak.found_by]}; {likeness}; hashes {leak.distance_bits} of 256 bits apart; cut off: {shown}"
    ours = f"{escape(finding.name)}<br><small>{leak.image_id}, {escape(leak.split)}</small>"
    theirs = f"{escape(leak.picture)}<br><small>{escape(leak.benchmark)}</small>"
    return (
        f'<figure id="{escape(leak.image_id)}"><div>{_img(finding.image, "image of the dataset")}<p>{ours}</p></div>'
        f"<div>{_img(finding.picture, 'picture of the benchmark')}<p>{theirs}</p></div>"
        f"<figcaption>{facts}</figcaption></figure>"
    )


def _share(value: float) -> str:
    """Percent of a side; what registration cannot tell from nothing is nothing."""
    return "0 %" if abs(value) < 0.004 else f"{100 * value:.1f} %"


def _img(image: NormalisedImage | None, alt: str) -> str:
    if image is None:
        return f'<p class="gone">{alt}: can no longer be read</p>'
    uri, _ = data_uri(image.data)
    return f'<img src="{uri}" alt="{alt}" width="{image.width_px}" height="{image.height_px}">'


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>mht leakage, run {run}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0 auto; max-width: 90rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.25rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 36rem), 1fr)); gap: 1rem; }}
figure {{ margin: 0; padding: .75rem; border: 1px solid #8888; border-radius: 8px; display: grid;
  grid-template-columns: 1fr 1fr; gap: .75rem; align-items: start; }}
figure div {{ min-width: 0; overflow-wrap: anywhere; }}
figure p {{ margin: .25rem 0 0; }}
img {{ width: 100%; height: auto; background: #000; image-rendering: auto; }}
figcaption {{ grid-column: 1 / -1; }}
.gone {{ padding: 2rem 1rem; border: 1px dashed #8888; text-align: center; }}
</style>
</head>
<body>
<h1>Leakage, run <code>{run}</code></h1>
<p>{head}</p>
<p>Compared with {against}. Left is the image, right the benchmark's picture. Likeness is the mean correlation of the
detail of both, once one is laid over the other; 1 is the same.</p>
{more}
<main>
{body}
</main>
</body>
</html>
"""
