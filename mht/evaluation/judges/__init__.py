"""One file a judge: four scores for a reply, by the question, the reference answer and the reply itself.

Every judge has `Params`; `identity(params)`, what decides its scores beside the row; and `Judge(params)`, whose
`judge(rows)` gives one Judgement for each row, in their order: four scores, or the kind of the error, never both.
Scores by different judges are not comparable. The contract test runs over every file here.
"""

from mht.evaluation.judges._judgement import SCALES, Asked, Judgement, Scores

__all__ = ["SCALES", "Asked", "Judgement", "Scores"]
