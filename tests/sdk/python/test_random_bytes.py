"""Random numbers of a Managed HSM."""

import pytest
from azure.core.exceptions import HttpResponseError


@pytest.mark.parametrize("count", [1, 32, 128])
def test_as_many_as_wanted(hsm, count):
    one, other = hsm.get_random_bytes(count), hsm.get_random_bytes(count)
    assert len(one) == len(other) == count
    assert count == 1 or one != other


def test_too_many_are_refused(hsm):
    with pytest.raises(HttpResponseError) as refused:
        hsm.get_random_bytes(129)
    assert refused.value.status_code == 400
    assert refused.value.error.code == "BadParameter"
