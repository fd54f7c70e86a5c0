from mht.evaluation.report.text import one_line, visible


def test_what_acts_on_a_terminal_or_turns_a_line_around_is_a_mark() -> None:
    assert visible("\x1b[31mred\x00") == "[U+001B][31mred[U+0000]"
    assert visible("a\u202eb\u2066c\u200bd\ufeff") == "a[U+202E]b[U+2066]c[U+200B]d[U+FEFF]"
    assert visible("lone \ud800") == "lone [U+D800]"


def test_words_of_any_language_tabs_and_lines_stay() -> None:
    text = "Größe: 3 mm\r\n\tпневмоторакс → 気胸"
    assert visible(text) == text.replace("\r\n", "\n")


def test_one_line_is_cut() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("abcdef", 4) == "abc…"
