"""What `narthex ca trust` does to a machine, as commands a person could type."""

from pathlib import Path

from narthex.cli.ca import FILE_NAME, Machine, each_root, plan, write_bundle

ROOT = Path("/data/ca/root.pem")


def machine(
    platform: str = "linux", directories: tuple[str, ...] = (), programs: tuple[str, ...] = (), **more
) -> Machine:
    return Machine(platform, frozenset(directories), frozenset(programs), more.get("nss", ()))


def test_debian_and_fedora_have_a_directory_and_a_program_each():
    debian = machine(directories=("/usr/local/share/ca-certificates",), programs=("update-ca-certificates",))
    assert plan([ROOT], debian)[0].commands == (
        ("cp", str(ROOT), f"/usr/local/share/ca-certificates/{FILE_NAME}.crt"),
        ("update-ca-certificates",),
    )
    fedora = machine(directories=("/etc/pki/ca-trust/source/anchors",), programs=("update-ca-trust",))
    assert plan([ROOT], fedora)[0].commands[1] == ("update-ca-trust", "extract")


def test_browsers_with_a_database_of_their_own_are_told_where_there_is_a_program_for_it():
    databases = ("/home/a/.pki/nssdb", "/home/a/.mozilla/firefox/x.default")
    told = plan([ROOT], machine(programs=("certutil",), nss=databases))
    assert [step.commands[0][3] for step in told] == [f"sql:{each}" for each in databases]
    assert plan([ROOT], machine(nss=databases)) == []


def test_a_machine_without_any_store_that_is_known_has_nothing_done_to_it():
    assert plan([ROOT], machine()) == []


def test_of_two_roots_each_store_is_given_both_in_files_of_their_own(tmp_path):
    one, two = (f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" for text in ("AAAA", "BBBB"))
    (tmp_path / "root.pem").write_text(one + two)
    here = machine(
        directories=("/usr/local/share/ca-certificates",),
        programs=("update-ca-certificates", "certutil"),
        nss=("/home/a/.pki/nssdb",),
    )

    with each_root(tmp_path / "root.pem") as roots:
        system, browser = plan(roots, here)
        assert [Path(command[1]).read_text() for command in system.commands[:2]] == [one, two]
        assert [command[2].rpartition("/")[2] for command in system.commands[:2]] == [
            "narthex-root.crt",
            "narthex-root-2.crt",
        ]
        assert system.commands[2] == ("update-ca-certificates",)
        assert [Path(command[-1]).read_text() for command in browser.commands] == [one, two]
        assert len({command[command.index("-n") + 1] for command in browser.commands}) == 2


def test_a_bundle_has_the_roots_that_python_trusts_and_ours(tmp_path):
    root = tmp_path / "root.pem"
    root.write_text("OURS\n")
    write_bundle(root, tmp_path / "bundle.pem")
    assert (tmp_path / "bundle.pem").read_text().endswith("OURS\n")
