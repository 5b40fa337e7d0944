"""What searches say on the command line: files in place of arguments."""

import pytest

from segue.cli.searching import in_their_words
from segue.errors import InputError


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"gallery_old": "old.npz"}, "old.npz has 3 rows and gallery 4; --index is 7"),
        ({"gallery": "all.npz"}, "gallery_old has 3 rows and all.npz 4; --index is 7"),
        ({}, "gallery_old has 3 rows and gallery 4; --index is 7"),
    ],
)
def test_files_are_named_in_place_of_arguments(told, said):
    with pytest.raises(InputError) as caught, in_their_words(told):
        raise InputError("gallery_old has 3 rows and gallery 4; --index is 7")
    assert str(caught.value) == said


def test_what_is_no_mistake_of_the_user_passes():
    with pytest.raises(KeyError), in_their_words({}):
        raise KeyError("gallery_old")
