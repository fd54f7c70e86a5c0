"""The report of an evaluation: report.html for a person, report.json for a program, report.md for a pull request.

What can be trusted comes first, what a judge says after it, and what can be gamed last, beside replies that never saw
the image. Every figure is told with its interval and the number of rows it stands on, of how many that were asked.
"""
