"""Places where an archive is published: a folder, rsync or SFTP over ssh, git, S3, WebDAV."""

from archive_site.targets.base import Account, Target, TargetRefused
from archive_site.targets.folder import Folder
from archive_site.targets.git import Git
from archive_site.targets.rsync import Rsync
from archive_site.targets.s3 import S3
from archive_site.targets.sftp import Sftp
from archive_site.targets.webdav import WebDav

KINDS: dict[str, type[Target]] = {"folder": Folder, "rsync": Rsync, "git": Git, "s3": S3, "webdav": WebDav, "sftp": Sftp}

__all__ = ["KINDS", "Account", "Target", "TargetRefused"]
