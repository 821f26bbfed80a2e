"""Whose schema is in a database, and what is done with one that is not ours; and the encodings that are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, make_url, text

from drydock import manage
from drydock.db import migrate, start_check
from drydock.db.database import Database
from drydock.db.engine import connect, driver_url
from drydock.db.schema import known_revisions, migrations_folder
from drydock.errors import ConfigurationError, DatabaseUnavailable, DatabaseUnsuitable

HEAD = known_revisions()[-1]
NEW_TABLE = "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('{}');"
UPSTREAM = NEW_TABLE.format("4713e7ebca9") + "CREATE TABLE tasks (task_id bytea); CREATE TABLE build_data (id int);"


def execute(url: str, *statements: str) -> None:
    engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def db(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(manage.main, ["db", *arguments], env={"DRYDOCK_DATABASE_URL": url})


def one_sentence(result: Result) -> str:
    """The one sentence that is shown instead of a traceback."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.output.count("\n") == 1
    return result.output


@pytest.fixture
def migrated(new_migrated_database: Callable[[], str]) -> str:
    return new_migrated_database()


def unhealthy(url: str) -> str:
    """What the check of a running service says."""
    database = Database(connect(url, pool_size=1, max_overflow=0, application_name="tests"))
    with pytest.raises(DatabaseUnavailable) as refused:
        database.check()
    database.close()
    return refused.value.cause


def healthy(url: str) -> None:
    database = Database(connect(url, pool_size=1, max_overflow=0, application_name="tests"))
    database.check()
    database.check()
    database.close()


def test_revisions_are_known_by_their_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    scripts = ScriptDirectory.from_config(config)
    assert list(known_revisions()) == [script.revision for script in scripts.walk_revisions()][::-1]


def test_an_empty_database(new_database: Callable[[], str]) -> None:
    url = new_database()
    assert "run drydock-manage db upgrade" in unhealthy(url)
    assert "run drydock-manage db upgrade" in one_sentence(db(url, "check"))
    assert db(url, "current").output == "\n"
    assert db(url, "upgrade").exit_code == 0
    assert db(url, "current").output == f"{HEAD}\n"
    assert db(url, "check").exit_code == 0
    healthy(url)


def test_an_older_schema(new_database: Callable[[], str]) -> None:
    url = new_database()
    migrate.upgrade(url, "0003")
    for message in (unhealthy(url), one_sentence(db(url, "check"))):
        assert "0003" in message
        assert "run drydock-manage db upgrade" in message
    start_check.check(url)


def test_a_newer_schema_will_do_and_is_left_alone(migrated: str) -> None:
    execute(migrated, "UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE tasks ADD COLUMN later text")
    healthy(migrated)
    assert "9999" in db(migrated, "check").output
    for arguments in (["upgrade"], ["downgrade", "0001"]):
        message = one_sentence(db(migrated, *arguments))
        assert "9999" in message
        assert "Nothing was changed" in message
    healthy(migrated)


def test_a_newer_schema_without_what_we_need(migrated: str) -> None:
    execute(migrated, "UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE tasks DROP COLUMN reason")
    assert "tasks.reason" in unhealthy(migrated)
    assert "tasks.reason" in one_sentence(db(migrated, "check"))


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (UPSTREAM, "airshipit/drydock"),
        (NEW_TABLE.format("29e87d24a316") + "CREATE TABLE project (id int)", "none of Drydock's tables"),
        (NEW_TABLE.format("0002") + "CREATE TABLE project (id int)", "none of Drydock's tables"),
        ("CREATE TABLE tasks (id int)", "tasks"),
    ],
    ids=["upstream", "other", "other with our numbers", "no revision"],
)
def test_somebody_elses_database(new_database: Callable[[], str], tables: str, found: str) -> None:
    url = new_database()
    execute(url, tables)
    for arguments in (["upgrade"], ["check"], ["downgrade", "base"]):
        assert found in one_sentence(db(url, *arguments))
    assert found in unhealthy(url)
    with pytest.raises(DatabaseUnsuitable):
        migrate.upgrade(url)


def test_a_table_that_is_lost_is_noticed_by_whoever_needs_it(migrated: str) -> None:
    database = Database(connect(migrated, pool_size=1, max_overflow=0, application_name="tests"))
    database.check()
    execute(migrated, "ALTER TABLE designs RENAME TO lost")
    with pytest.raises(DatabaseUnavailable), database.unit_of_work() as uow:
        uow.designs.all()
    with pytest.raises(DatabaseUnavailable, match="not ready"):
        database.check()
    execute(migrated, "ALTER TABLE lost RENAME TO designs")
    database.check()
    database.close()


@pytest.mark.parametrize(("command", "revision"), [("downgrade", "nope"), ("downgrade", "00"), ("downgrade", "9999")])
def test_no_such_revision(migrated: str, command: str, revision: str) -> None:
    message = one_sentence(db(migrated, command, revision))
    assert revision in message
    assert HEAD in message
    assert "0001" in one_sentence(db(migrated, "upgrade", "--revision", "nope"))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_an_encoding_that_is_not_utf8_is_refused_with_what_to_do(
    new_database: Callable[[], str], encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = new_database()
    name = f"{make_url(server).database}_{encoding.lower()}"
    execute(server, f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    right = f"{name}_utf8"
    try:
        message = one_sentence(db(url, "upgrade"))
        assert encoding in message
        with pytest.raises(ConfigurationError, match=encoding):
            start_check.check(url)
        unhealthy(url)
        assert encoding in caplog.text or encoding in caplog.records[-1].__dict__["cause"]
        execute(server, message[message.index("CREATE DATABASE") :])
        migrate.upgrade(make_url(url).set(database=right).render_as_string(hide_password=False))
    finally:
        execute(server, f"DROP DATABASE {name}", f"DROP DATABASE IF EXISTS {right}")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"database": "drydock_nowhere"}, "does not exist"),
        ({"port": 1}, "Connection refused"),
        ({"query": {"sslmode": "require"}}, "SSL"),
    ],
    ids=["password", "database", "port", "tls"],
)
def test_what_cannot_be_connected_to(database_url: str, change: dict[str, object], cause: str) -> None:
    url = make_url(database_url).set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    message = one_sentence(db(url, "check"))
    assert cause in message
    assert "wrong" not in message
    assert cause in unhealthy(url)
    start_check.check(url)


def test_a_url_that_cannot_be_one_is_one_sentence() -> None:
    message = one_sentence(db("postgresql://u:s3cret@word@h/n", "upgrade"))
    assert "[database] url" in message
    assert "s3cret" not in message
    assert "word@" not in message
