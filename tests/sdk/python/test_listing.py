"""Lists, which come in pages."""

# The service gives 25 at a time.
MANY = 27


def test_keys(service, name):
    made = {service.create_ec_key(f"{name}-{number:02}").properties.name for number in range(MANY)}
    pages = [list(page) for page in service.list_properties_of_keys().by_page()]
    assert len(pages) > 1
    assert all(len(page) <= 25 for page in pages)
    names = [key.name for page in pages for key in page]
    assert {key for key in names if key.startswith(name)} == made
    assert len(names) == len(set(names)), "each key once"


def test_keys_from_where_another_client_stopped(service, name):
    made = {service.create_ec_key(f"{name}-{number}").properties.name for number in range(5)}
    first = service.list_properties_of_keys(max_page_size=3).by_page()
    names = [key.name for key in next(first)]
    assert len(names) == 3
    assert first.continuation_token
    for page in service.list_properties_of_keys().by_page(first.continuation_token):
        names += [key.name for key in page]
    assert {key for key in names if key.startswith(name)} == made
    assert len(names) == len(set(names))


def test_versions(service, name):
    made = {service.create_ec_key(name).properties.version for _ in range(MANY)}
    pages = [list(page) for page in service.list_properties_of_key_versions(name).by_page()]
    assert [len(page) for page in pages] == [25, MANY - 25]
    assert {key.version for page in pages for key in page} == made


def test_deleted_keys(service, name):
    made = {f"{name}-{number}" for number in range(4)}
    for key in made:
        service.create_ec_key(key)
        service.begin_delete_key(key).wait()
    pages = [list(page) for page in service.list_deleted_keys(max_page_size=2).by_page()]
    assert len(pages) > 1
    found = [key for page in pages for key in page if key.name.startswith(name)]
    assert {key.name for key in found} == made
    for key in found:
        assert key.scheduled_purge_date > key.deleted_date
        assert key.recovery_id.endswith(f"/deletedkeys/{key.name}")
    assert not made & {key.name for key in service.list_properties_of_keys()}
