"""What a wrong name is answered with, where there are many names."""

from losscli.errors import choose_from, likely


class Counting(str):
    """A name that counts how often it is compared with a beginning."""

    __slots__ = ()
    calls = 0

    def casefold(self) -> "Counting":
        return self

    def startswith(self, *given: object) -> bool:  # type: ignore[override]
        Counting.calls += 1
        return super().startswith(*given)  # type: ignore[arg-type]


def test_each_of_many_names_is_compared_once() -> None:
    names = [Counting(f"label-{number:05}") for number in range(2000)]
    Counting.calls = 0
    assert len(likely("label-", names)) == 2000
    assert 0 < Counting.calls <= len(names)


def test_a_variant_is_not_asked_about_beside_what_it_is_a_variant_of() -> None:
    names = ["focal", "focal-tversky", "focal-tversky-plus", "focals", "focal_x"]
    assert likely("foc", names) == ["focal", "focals", "focal_x"]


def test_a_message_lists_no_million_names() -> None:
    cure = choose_from("label", [f"label{number}" for number in range(10_000)])
    assert cure.startswith("did you mean label0 or label1 or ")
    assert " or label7 or one of 9992 more? There are: label0, label1, " in cure
    assert cure.endswith("label199 and 9800 more")
