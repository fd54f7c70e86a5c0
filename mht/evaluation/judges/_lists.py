"""The words by which a sentence takes a stand: ours, brought to the form in which words are compared."""

from __future__ import annotations

from mht.knowledge.spelling import normal


def _set(words: str) -> frozenset[str]:
    return frozenset(normal(word) for word in words.split())


YES = _set("yes yeah absolutely indeed certainly definitely correct exactly sure true precisely")
BARE = frozenset(word[:6] for word in YES)
"""Stems that say no more than yes."""
NO = _set("no nope incorrect false wrong")
NEGATION = _set(
    "no not without never none neither nor cannot lack lacking absent absence free negative unlikely"
)
NEGATION |= _set("fail nothing unrelated")
INSTEAD = _set("rather instead")
"""They negate what follows in `rather than …`, `instead of …`."""
SOFTENER = _set(
    "necessarily definitively always directly specifically explicitly solely entirely conclusively"
)
SOFTENER |= _set("provide enough confirm specify mention explicit")
SOFTENER |= _set("exclusively definitive clearly inherently guarantee typically usually sufficient enough")
NO_NEGATION = _set("only just merely doubt longer matter")
"""`not only`, `no doubt`: nothing is denied."""
LITOTES = _set("uncommon unusual unlikely rare unreasonable")
"""`not uncommon` affirms; `no unusual …` denies."""
SUBORDINATE = _set("which because since while whereas although though if unless so therefore")
RELATIVE_VERBS = _set("is are was were do does did can may could has have would should will")
"""`that` before one of them opens a clause about a noun; before another word it opens what is said."""
CORRECTING = _set("actually contrary interestingly instead rather fact however while although though")
INFORMATION = _set(
    "provide information specific explicitly explicit directly determine conclude confirm detail data"
)
INFORMATION |= _set(
    "definitively definitive sufficient enough mention specify alone solely premature necessarily"
)
CLAUSE = _set("but however although though while whereas because since instead which suggesting indicating")
CLAUSE |= _set("meaning so therefore thus if as due")
TELLING = _set("suggest indicate")
AFTER_COMMA = _set("the it this these there that they we you he she its an")
SEEN = _set("visible present seen evident apparent noted shown observed depicted identified detected found")
SEEN |= _set("mentioned provided indicated included described supported visualized absent")
HEDGE = _set("may might could possible possibly potentially potential perhaps likely probably appear seem")
HEDGE |= _set(
    "suggest suggestive suggesting would should can sometimes often typically generally usually uncertain"
)
STRONG_HEDGE = _set("may might could possible possibly perhaps uncertain unclear difficult depend depending")
SOFT = _set(
    "may might could can possible possibly possibility potential potentially perhaps likely suggestive"
)
SOFT |= _set(
    "necessarily various typically further definitive definitively conclusively alone specific require"
)
SOFT |= _set(
    "context while although depend depending additional correlation unclear difficult sometimes often"
)
INTERPRETING = _set(
    "sign indicate indicating indicative mean suggest suggesting suggestive cause caused related"
)
INTERPRETING |= _set(
    "because imply implying result due consistent common typical represent representing lead why"
)
EXISTING = _set("there any visible present have has contain show see shown")
CONTRAST = _set(
    "but however although though while rather instead actually contrary whereas despite nevertheless"
)
CONSULT = _set("consult consulted consultation professional healthcare evaluation physician doctor provider")
OPEN = _set(
    "difficult impossible unclear uncertain unknown determine determined conclude conclusively definitive"
)
OPEN |= _set("sufficient insufficient additional further context")
GENERIC = _set(
    "important essential crucial helpful various several different other include including help factor"
)
GENERIC |= _set("information understanding overall generally commonly common condition")
DEFINING = _set("refer called known type process used technique occur caused condition defined term")
WH = _set("what which where why how who when whose whom")
CLAIMING = _set("i see notice noticed heard think thought believe looks seem appears")
ABLE = _set("possible could might may can")
COLOURS = _set("red blue green yellow orange purple black white brown pink gray cyan magenta dark bright")
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {word: str(number) for number, word in enumerate((*_COUNTED, "eleven", "twelve"))}
FUNCTION = _set(
    "a an the this that these those it its is are was were be been being am do does did done has have had having "
    "of in on at to for from by with within into onto over under between through during about against as and or "
    "nor but if then than so such there here he she they them their his her we our you your i me my us who whom "
    "which what where when why how can could may might must shall should will would not no yes also any some all "
    "each both either neither more most less least very too just only even still well much many few own same other "
    "another up down out off again further once because while although though however therefore thus not without "
    "image picture figure photo photograph show showing shown shows see seen depict indicate suggest appear seem "
    "visible present presence evidence sign there are is please tell me one ones per via e g etc like"
)
ANTONYMS = tuple(
    (_set(one), _set(other))
    for one, other in (
        ("left", "right"),
        (
            "increase increased increasing higher high elevated rise greater",
            "decrease decreased decreasing reduced reduction lower low decline",
        ),
        ("large larger big bigger enlarged", "small smaller little tiny"),
        ("benign noncancerous", "malignant malignancy cancerous cancer"),
        ("normal healthy unremarkable", "abnormal abnormality unhealthy diseased pathological pathology"),
        ("upper superior above top", "lower inferior below bottom"),
        ("anterior front", "posterior back"),
        ("medial central centre center", "lateral peripheral"),
        ("acute recent", "chronic old longstanding"),
        ("unilateral single solitary one", "bilateral multiple several both"),
        ("positive", "negative"),
        ("before pre preoperative", "after post postoperative"),
        ("hyperintense hyperdense bright hyperechoic", "hypointense hypodense dark hypoechoic"),
        ("thick thickened thickening", "thin thinned thinning"),
        ("solid", "cystic fluid"),
        ("intact preserved", "disrupted damaged destroyed destruction ruptured"),
        ("male man", "female woman"),
        ("symmetric symmetrical", "asymmetric asymmetrical asymmetry"),
        ("well defined", "ill poorly irregular"),
        ("mild slight minimal", "severe marked extensive significant"),
        ("improve improved improvement resolved", "worsen worsened progression deterioration"),
        ("successful success effective", "unsuccessful failure ineffective failed"),
        ("open", "closed"),
        ("active", "inactive dormant"),
        ("complete completely", "incomplete partial partially"),
        ("uniform homogeneous even", "heterogeneous varied uneven variable"),
    )
)
