"""A git repository: each publish is a commit."""

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from archive_site.targets.base import Target, TargetRefused, run, ssh_options

IDENTITY = {
    "GIT_AUTHOR_NAME": "Brieftaube",
    "GIT_AUTHOR_EMAIL": "archive@localhost",
    "GIT_COMMITTER_NAME": "Brieftaube",
    "GIT_COMMITTER_EMAIL": "archive@localhost",
}


class Git(Target):
    """``place``: the address of a repository, with ``#branch`` behind it if that is not ``main``; ``secret``: a private key."""

    def open(self) -> None:
        self._remote, _, branch = self.account.place.partition("#")
        self._branch = branch or "main"
        # “ext::” would run a program, a hyphen would be an option.
        if not self._remote or self._remote.startswith("-") or "::" in self._remote or self._branch.startswith("-"):
            raise TargetRefused("The place has to be the address of a repository.")
        name = hashlib.blake2b(self.account.place.encode(), digest_size=6).hexdigest()
        self._folder = self.account.home / f"git-{name}"

    @contextmanager
    def _git(self, root: Path) -> Iterator["_Repository"]:
        with ssh_options(self.account) as options:
            env = IDENTITY | {
                "GIT_DIR": str(self._folder),
                "GIT_WORK_TREE": str(root),
                "GIT_SSH_COMMAND": shlex.join(["ssh", *options]),
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_CONFIG_NOSYSTEM": "1",
            }
            repository = _Repository(env, root)
            if not (self._folder / "HEAD").is_file():
                run(["git", "init", "--quiet", "--bare", str(self._folder)], env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"})
                repository("config", "core.bare", "false")
                repository("config", "core.autocrlf", "false")
            yield repository

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        with self._git(root) as git:
            git("add", "--all", "--force", ".")
            tree = git("write-tree").strip()
            theirs = self._fetch(git)
            ours = git("rev-parse", "--verify", "--quiet", "refs/ours", fails="").strip()
            if theirs and git("rev-parse", f"{theirs}^{{tree}}").strip() == tree:
                git("update-ref", "refs/ours", theirs)
            else:
                # What others have put there stays in the history; what is shown is ours.
                parents = [commit for commit in dict.fromkeys([theirs, ours]) if commit]
                words = [word for commit in parents for word in ("-p", commit)]
                message = f"{len(changed)} written, {len(removed)} removed"
                commit = git("commit-tree", tree, *words, "-m", message).strip()
                git("push", "--quiet", self._remote, f"{commit}:refs/heads/{self._branch}")
                git("update-ref", "refs/ours", commit)
            yield from [*changed, *removed]

    def _fetch(self, git: "_Repository") -> str:
        found = git("ls-remote", "--heads", self._remote, self._branch).split()
        if not found:
            return ""
        git("fetch", "--quiet", "--no-tags", self._remote, f"+refs/heads/{self._branch}:refs/theirs")
        return git("rev-parse", "refs/theirs").strip()

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        with self._git(root) as git:
            theirs = self._fetch(git)
            if not theirs:
                return list(files)
            git("add", "--all", "--force", ".")
            said = git("diff-index", "--cached", "--name-only", "-z", theirs)
            return [path for path in said.split("\0") if path in files]


class _Repository:
    def __init__(self, env: Mapping[str, str], root: Path) -> None:
        self._env, self._root = env, root

    def __call__(self, *words: str, fails: str | None = None) -> str:
        try:
            return run(["git", *words], env=self._env, cwd=self._root)
        except TargetRefused:
            if fails is None:
                raise
            return fails
