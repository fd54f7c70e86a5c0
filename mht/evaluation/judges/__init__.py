"""One file a judge: four scores for a reply, by the question, the reference answer and the reply itself.

Every judge has `Params`, and `identity(params)`, what decides its scores beside the row. One that judges by itself has
`Judge(params)`, whose `judge(rows)` gives a Judgement for each row, in their order. One that asks a model has
`sees_image(params)`, `ask(row, image, params, seed)`, the requests of one row, and `read(row, replies, params)`, the
Judgement in their replies. A judgement is four scores or the kind of the failure, never both, and scores by different
judges are not comparable. The contract test runs over every file here.
"""

from mht.judgements import SCALES, Asked, Judgement

__all__ = ["SCALES", "Asked", "Judgement"]
