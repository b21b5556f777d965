"""What goes by itself, and when: `retention.yaml` of the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.errors import UsageError

POLICY_FILE_NAME: Final = "retention.yaml"
Days = Annotated[int, Field(ge=0)]
EXAMPLE_POLICY: Final = """\
# What goes by itself with `shicheng retention --apply`. A rule that is not here keeps everything.
# 执行 `shicheng retention --apply` 时按以下规则删除；未写明的规则不删除任何内容。
version: 1
refused_rows_days: 365        # lists of refused rows 拒收清单
load_reports_days: 1095       # reports of loads 载入报告
undo_images_days: 90          # what stood before loads, so that they can be undone 撤销用的原记录
snapshots_days: 90            # tables of revisions but the newest 最新版本以外的数据快照
uploads: true                 # files of visits that have ended 已结束会话上传的文件
# backups_days: 365           # dumps in the data folder 数据文件夹内的备份
# people_silent_years: 10     # people of whom nothing was stated for so long 长期无任何记录的人员
"""


class RetentionPolicy(BaseModel):
    """One rule a field; None keeps everything.

    `uploads`: whether files that ended visits left go. `people_silent_years`: people but leading
    talents of whom no day and no load of any record is newer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(1, ge=1, le=1)
    refused_rows_days: Days | None = None
    load_reports_days: Days | None = None
    undo_images_days: Days | None = None
    snapshots_days: Days | None = None
    uploads: bool = False
    backups_days: Days | None = None
    people_silent_years: Annotated[int, Field(ge=1)] | None = None


def read_retention_policy(home: Path) -> RetentionPolicy:
    """The policy of the data folder; without a file one that keeps everything.

    Raises UsageError, with what is wrong, for a file that is none.
    """
    path = home / POLICY_FILE_NAME
    if not path.exists():
        return RetentionPolicy()
    try:
        return RetentionPolicy.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3]]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        wrong = [type(error).__name__]
    raise UsageError(
        "{path} is no retention policy ({wrong}): mend it, or write it anew with "
        "`shicheng retention --init`",
        path=path,
        wrong=wrong,
    )


def write_example_policy(home: Path) -> Path:
    """Writes a policy to start from. Raises UsageError where there is one already."""
    path = home / POLICY_FILE_NAME
    if path.exists():
        raise UsageError("{path} is there already: change it with an editor", path=path)
    home.mkdir(parents=True, exist_ok=True)
    path.write_text(EXAMPLE_POLICY, encoding="utf-8")
    return path
