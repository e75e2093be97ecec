"""Where address, token and CA come from, and where a token must not go."""

import json
import os
import stat

import pytest

from narthex.client.profiles import Flags, api_base, resolve
from narthex.client.stored import installation_profiles, user_file
from narthex.contracts.errors import Misconfigured
from narthex.runtime.supervisor.__main__ import write_profiles


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "work" / "deep").mkdir(parents=True)
    return tmp_path


def environ(home, **more):
    return {"HOME": str(home / "home"), **more}


def directory_profile(folder, **fields):
    (folder / ".narthex").mkdir(exist_ok=True)
    path = folder / ".narthex" / "profile.json"
    path.write_text(json.dumps({"api_url": "http://127.0.0.1:8000", **fields}))
    return path


def installation(home, name="data"):
    data = home / name
    (data / "ca").mkdir(parents=True)
    (data / "admin.token").write_text("nx_admin\n")
    (data / "ca" / "root.pem").write_text("PEM")
    return data


def written(home, data, url="http://127.0.0.1:8000"):
    """An installation's profiles, as its supervisor writes them."""
    profiles = installation_profiles(
        data, url, token_file=data / "admin.token", ca_file=data / "ca" / "root.pem", environ=environ(home)
    )
    write_profiles({str(path): text for path, text in profiles.items()})
    return [path for path in profiles if path.exists()]


def test_nothing_known_says_what_to_do(home):
    with pytest.raises(Misconfigured, match="narthex up"):
        resolve(environ=environ(home), cwd=home / "work")


def test_up_makes_the_command_work_in_its_directory_and_everywhere_else(home):
    data = installation(home, "work/.narthex")
    written(home, data)
    here = resolve(environ=environ(home), cwd=home / "work" / "deep")
    elsewhere = resolve(environ=environ(home), cwd=home)
    for profile in (here, elsewhere):
        assert profile.api_url == "http://127.0.0.1:8000/v2.1"
        assert profile.token == "nx_admin"
        assert profile.ca_file.read_text() == "PEM"
        assert profile.data_dir.samefile(data)
    assert here.source == str(data / "profile.json")
    assert elsewhere.source == str(home / "home" / ".config" / "narthex" / "profiles.json")


def test_a_data_directory_can_be_moved_with_its_profile(home):
    data = installation(home, "work/.narthex")
    written(home, data)
    (home / "work").rename(home / "moved")
    assert resolve(environ=environ(home), cwd=home / "moved").token == "nx_admin"


def test_profiles_are_readable_by_their_owner_only(home):
    for path in written(home, installation(home)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_up_keeps_the_users_other_profiles_and_choice(home):
    path = user_file(environ(home))
    path.parent.mkdir(parents=True)
    other = {"api_url": "https://narthex.example.com", "token": "nx_prod"}
    path.write_text(json.dumps({"current": "prod", "profiles": {"prod": other}}))
    written(home, installation(home))
    assert resolve(environ=environ(home), cwd=home).token == "nx_prod"
    assert resolve(Flags(profile="local"), environ=environ(home), cwd=home).token == "nx_admin"


def test_a_home_that_cannot_be_written_does_not_keep_up_from_starting(home):
    (home / "home" / ".config").write_text("a file where a directory should be")
    data = installation(home)
    assert written(home, data) == [data / "profile.json"]


def test_a_broken_profiles_file_is_left_alone(home):
    path = user_file(environ(home))
    path.parent.mkdir(parents=True)
    path.write_text("{")
    data = installation(home)
    written(home, data)
    assert path.read_text() == "{"


def test_the_environment_goes_before_profiles(home):
    written(home, installation(home, "work/.narthex"))
    env = environ(home, NARTHEX_API_URL="https://other.test", NARTHEX_TOKEN="nx_env", NARTHEX_CA_FILE="/ca.pem")
    profile = resolve(environ=env, cwd=home / "work")
    assert (profile.api_url, profile.token, str(profile.ca_file)) == ("https://other.test/v2.1", "nx_env", "/ca.pem")


def test_flags_go_before_the_environment(home):
    (home / "token").write_text("nx_flag")
    env = environ(home, NARTHEX_API_URL="https://other.test", NARTHEX_TOKEN="nx_env")
    profile = resolve(Flags(api_url="http://flag.test/v2", token_file=home / "token"), environ=env, cwd=home)
    assert (profile.api_url, profile.token) == ("http://flag.test/v2", "nx_flag")


def test_a_named_profile_goes_before_the_environment_and_the_directory(home):
    written(home, installation(home))
    directory_profile(home / "work", token="nx_dir")
    env = environ(home, NARTHEX_API_URL="https://other.test", NARTHEX_TOKEN="nx_env")
    assert resolve(Flags(profile="local"), environ=env, cwd=home / "work").token == "nx_admin"


def test_half_an_environment_is_refused(home):
    written(home, installation(home))
    with pytest.raises(Misconfigured, match="set both"):
        resolve(environ=environ(home, NARTHEX_TOKEN="nx_env"), cwd=home)
    with pytest.raises(Misconfigured, match="set both"):
        resolve(environ=environ(home, NARTHEX_API_URL="https://other.test"), cwd=home)


def test_a_token_of_a_profile_is_not_sent_to_another_address(home):
    written(home, installation(home))
    with pytest.raises(Misconfigured, match="needs a token"):
        resolve(Flags(api_url="https://evil.test"), environ=environ(home), cwd=home)
    assert resolve(Flags(api_url="http://127.0.0.1:8000"), environ=environ(home), cwd=home).token == "nx_admin"


def test_a_directory_profile_cannot_have_another_file_sent_away(home):
    (home / "secret").write_text("password")
    directory_profile(home / "work", token_file="../../secret", api_url="https://evil.test")
    with pytest.raises(Misconfigured, match="outside its own directory"):
        resolve(environ=environ(home), cwd=home / "work")


def test_a_directory_profile_of_another_user_is_passed_by(home, monkeypatch):
    directory_profile(home / "work", token="nx_theirs")
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(Misconfigured, match="no Narthex is known"):
        resolve(environ=environ(home), cwd=home / "work")


def test_the_nearest_directory_profile_counts(home):
    directory_profile(home / "work", token="nx_far")
    directory_profile(home / "work" / "deep", token="nx_near")
    assert resolve(environ=environ(home), cwd=home / "work" / "deep").token == "nx_near"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"api_url": 1}'])
def test_a_broken_profile_is_named(home, content):
    directory_profile(home / "work").write_text(content)
    with pytest.raises(Misconfigured, match=r"profile\.json is no profile"):
        resolve(environ=environ(home), cwd=home / "work")


@pytest.mark.parametrize("token", ["", "  ", "with space", "new\nline", "\x1b[0m", "tök"])
def test_a_token_with_characters_no_token_has_is_refused_without_showing_it(home, token):
    env = environ(home, NARTHEX_API_URL="https://a.test", NARTHEX_TOKEN=token or " ")
    with pytest.raises(Misconfigured) as caught:
        resolve(environ=env, cwd=home)
    assert token.strip() == "" or token not in caught.value.message


def test_an_unknown_profile_lists_those_that_exist(home):
    written(home, installation(home))
    with pytest.raises(Misconfigured, match="there are: local"):
        resolve(Flags(profile="prod"), environ=environ(home), cwd=home)


def test_a_token_file_that_is_not_there_is_named_with_what_to_do(home):
    directory_profile(home / "work", token_file="admin.token")
    with pytest.raises(Misconfigured, match=r"token file .*admin\.token does not exist: start the Narthex"):
        resolve(environ=environ(home), cwd=home / "work")


def test_the_project_comes_from_flag_environment_or_profile(home):
    directory_profile(home / "work", token="t", project="shop")
    cwd = home / "work"
    assert resolve(environ=environ(home), cwd=cwd).project == "shop"
    assert resolve(environ=environ(home, NARTHEX_PROJECT="env"), cwd=cwd).project == "env"
    assert resolve(Flags(project="flag"), environ=environ(home, NARTHEX_PROJECT="env"), cwd=cwd).project == "flag"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v2.1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v2.1"),
        ("https://api.test/v2", "https://api.test/v2"),
        ("https://api.test/narthex/v2.1/", "https://api.test/narthex/v2.1"),
    ],
)
def test_an_address_gets_the_apis_version_unless_it_has_one(url, base):
    assert api_base(url) == base
