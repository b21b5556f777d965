"""The one schema: every node kind and relation, declared once.

From these declarations come the constraints and indexes (`graph/store/schema.py`), the batched
MERGE and the cleanup (`graph/store/merge.py`), the exchange tables with their checks
(`loaders/tables.py`), the header aliases in Chinese, and docs/model.md with its drawn schema
(`graph/model/docs_page.py`).

Every node and every relation carries, beside what is declared here, its provenance
(`PROVENANCE`): the sources that state it, the load that last wrote it, and the file and row it
was read from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graph.model.schema_types import Declared, End, Facet, Link, NodeKind, Property, Relation, Type
from graph.model.vocabularies import (
    ACHIEVEMENT_KINDS,
    BASES,
    GOAL_SCOPES,
    GRADES,
    IDENTITY_BASES,
    MENTORSHIP_KINDS,
    MENTORSHIP_STATUSES,
    PAY_FORMS,
    PERSON_TYPES,
    PROJECT_KINDS,
    RECOGNITION_MODES,
    RETIREMENT_CATEGORIES,
    SCHOOL_KINDS,
    SEXES,
    STUDIO_KINDS,
    SUBSIDY_KINDS,
    TRAINING_KINDS,
)

# The `key` of a relation that a node's own table states, where the relation has a table too: the
# enterprise of a person's row is an EMPLOYED_BY without dates, beside those of employments.
CURRENT_LINK_KEY = "current"


def is_stated_by_nodes(relation: Relation) -> bool:
    """Whether some of the relations are stated by a node's own table, beside the relation's own."""
    return relation.table is not None and any(
        link.relation == relation.type for kind in NODES for link in kind.links
    )


PROVENANCE = (
    Property("sources", "the sources that state it", "来源"),
    Property("load", "the load that last wrote it", "载入批次"),
    Property("row", "file and row it was read from", "文件与行"),
    Property(
        "stated",
        "what each of several sources states, where it differs",
        "各来源所报",
        personal=True,
        masked=True,
    ),
)
# What `graph.driven.publish` writes on the leading talents; no load states or touches it.
PUBLISHED_PROPERTIES = (
    Property("driven", "new high-skilled workers driven", "带动人数", Type.INTEGER),
    Property("driven_person_times", "person-times driven", "带动人次", Type.INTEGER),
    Property(
        "driven_g1",
        "of them by generation: driven_g1, driven_g2, ...",
        "各代带动人数",
        Type.INTEGER,
    ),
    Property("driven_pending", "on a chain, not high-skilled yet", "在途人数", Type.INTEGER),
    Property("driven_equal", "workers by equal credit", "均分带动人数", Type.FLOAT),
    Property("driven_nearest", "workers by nearest credit", "就近带动人数", Type.FLOAT),
    Property("driven_decay", "workers by decaying credit", "递减带动人数", Type.FLOAT),
    Property("driven_rank_best", "best rank in the band of rules", "最好名次", Type.INTEGER),
    Property("driven_rank_worst", "worst rank in the band of rules", "最差名次", Type.INTEGER),
    Property("driven_policy", "id of the policy", "口径编号"),
    Property("driven_rules", "the policy, as JSON", "口径"),
    Property("driven_revision", "revision of the graph it was counted at", "版本号", Type.INTEGER),
    Property("driven_at", "published at", "发布时间"),
)
_PUBLISHED_NAME = re.compile("|".join(p.name for p in PUBLISHED_PROPERTIES) + r"|driven_g\d+")


def is_published_property(name: str) -> bool:
    """Whether a publication puts it on leading talents, so that no row states it."""
    return _PUBLISHED_NAME.fullmatch(name) is not None


# Columns every exchange table may carry.
COMMON_TABLE_COLUMNS = (
    Property("source", "the department or system that states the row", "数据来源"),
    Property(
        "updated_on", "when the source last changed the row", "更新日期", Type.DATE, of_a_day=True
    ),
)

DATE_TYPE, FLOAT_TYPE, STRING_TYPE = Type.DATE, Type.FLOAT, Type.STRING


def _build_property(name: str, en: str, zh: str, type: Type = STRING_TYPE, **more: Any) -> Property:
    return Property(name, en, zh, type, **more)


def _build_key_property(
    name: str, en: str, zh: str, type: Type = STRING_TYPE, **more: Any
) -> Property:
    return _build_property(name, en, zh, type, required=True, **more)


PERIOD = (
    _build_property("start", "first day", "开始日期", DATE_TYPE, together="period"),
    _build_property("end", "last day", "结束日期", DATE_TYPE, together="period"),
)
# An unreadable start must not become an undated link, nor an unreadable end an open one.
COUNTED_START = _build_property(
    "start", "first day", "开始日期", DATE_TYPE, decides=True, together="period"
)
COUNTED_PERIOD = (
    COUNTED_START,
    _build_property("end", "last day", "结束日期", DATE_TYPE, decides=True, together="period"),
)
PERSON_ID = _build_key_property("person_id", "person", "人员编号", headers=("人员ID", "个人编号"))
PROVINCE = _build_property(
    "province", "province", "省份", Type.PROVINCE, headers=("省", "所在省份")
)
IN_PROVINCE = Link("province", "IN_PROVINCE", ("Province",), create=True)

NODES: tuple[NodeKind, ...] = (
    NodeKind(
        "Province",
        "Province",
        "省份",
        "code",
        (
            _build_key_property("code", "GB/T 2260 code", "省份代码", headers=("代码",)),
            _build_key_property("name", "name", "省份名称", headers=("名称",)),
        ),
        table="provinces",
        names=("name",),
    ),
    NodeKind(
        "Occupation",
        "Occupation",
        "职业",
        "code",
        (
            _build_key_property(
                "code",
                "code of the national list of occupations",
                "职业代码",
                Type.OCCUPATION,
                headers=("代码",),
            ),
            _build_key_property("name", "name", "职业名称", headers=("名称",)),
        ),
        table="occupations",
        names=("name",),
    ),
    NodeKind(
        "Enterprise",
        "Enterprise",
        "企业",
        "enterprise_id",
        (
            _build_key_property("enterprise_id", "enterprise", "企业编号", headers=("企业ID",)),
            _build_key_property("name", "name", "企业名称", headers=("单位名称",)),
            PROVINCE,
            _build_property("industry", "industry", "行业"),
            _build_property("ownership", "ownership", "所有制", headers=("所有制性质",)),
            _build_property(
                "education_fund",
                "staff education fund",
                "职工教育经费",
                FLOAT_TYPE,
                unit="yuan a year",
            ),
            _build_property(
                "frontline_education_fund",
                "of it for front-line workers",
                "一线职工教育经费",
                FLOAT_TYPE,
                unit="yuan a year",
            ),
        ),
        table="enterprises",
        links=(IN_PROVINCE,),
        names=("name",),
    ),
    NodeKind(
        "School",
        "School",
        "院校",
        "school_id",
        (
            _build_key_property(
                "school_id", "school or training base", "院校编号", headers=("学校编号",)
            ),
            _build_key_property("name", "name", "院校名称", headers=("学校名称",)),
            _build_property(
                "kind", "kind", "院校类型", choices=SCHOOL_KINDS, headers=("学校类型",)
            ),
            PROVINCE,
        ),
        table="schools",
        links=(IN_PROVINCE,),
        names=("name",),
    ),
    NodeKind(
        "Studio",
        "Studio",
        "工作室",
        "studio_id",
        (
            _build_key_property("studio_id", "studio", "工作室编号", headers=("工作室ID",)),
            _build_key_property("name", "name", "工作室名称"),
            _build_property("kind", "kind", "工作室类型", required=True, choices=STUDIO_KINDS),
            _build_property("grade", "grade", "级别", choices=GRADES, headers=("等级",)),
            _build_property(
                "host_id", "host enterprise or school", "依托单位编号", headers=("所在单位编号",)
            ),
            PROVINCE,
            _build_property("founded", "founded on", "成立日期", DATE_TYPE),
            _build_property("industry", "industry", "行业"),
            _build_property(
                "funding", "public funding received", "资助经费", FLOAT_TYPE, unit="yuan"
            ),
        ),
        table="studios",
        names=("name",),
        links=(IN_PROVINCE, Link("host_id", "HOSTED_BY", ("Enterprise", "School"))),
    ),
    NodeKind(
        "Competition",
        "Competition",
        "竞赛",
        "competition_id",
        (
            _build_key_property("competition_id", "competition", "竞赛编号"),
            _build_key_property("name", "name", "竞赛名称"),
            _build_property(
                "grade", "grade", "级别", required=True, choices=GRADES, headers=("等级",)
            ),
            _build_property("date", "day of the final", "日期", DATE_TYPE, required=True),
        ),
        table="competitions",
        names=("name",),
    ),
    NodeKind(
        "Project",
        "Project",
        "项目",
        "project_id",
        (
            _build_key_property("project_id", "project", "项目编号", headers=("项目ID",)),
            _build_key_property("name", "name", "项目名称", headers=("项目", "工程名称")),
            _build_property(
                "kind",
                "kind",
                "项目类型",
                required=True,
                choices=PROJECT_KINDS,
                headers=("项目类别", "类型"),
            ),
            *PERIOD,
            _build_property(
                "enterprise_id",
                "enterprise that runs it",
                "企业编号",
                headers=("单位编号", "承担单位编号"),
            ),
            PROVINCE,
        ),
        table="projects",
        links=(IN_PROVINCE, Link("enterprise_id", "RUN_BY", ("Enterprise",))),
    ),
    NodeKind(
        "Honour",
        "Honour",
        "荣誉",
        "honour",
        (_build_key_property("honour", "honour, by its code or name", "荣誉名称"),),
    ),
    NodeKind(
        "Achievement",
        "Achievement",
        "成果",
        "title",
        (_build_key_property("title", "title", "成果名称"),),
    ),
    NodeKind(
        "Subsidy",
        "Kind of subsidy",
        "补贴类型",
        "kind",
        (_build_key_property("kind", "kind, by its code or name", "补贴类型"),),
    ),
    NodeKind(
        "Goal",
        "Target of the programme",
        "目标",
        "goal_id",
        (
            _build_property("goal_id", "scope and year", "目标编号"),
            _build_key_property(
                "scope",
                "national, a province or an industry",
                "范围",
                choices=GOAL_SCOPES,
                open_choice=True,
            ),
            _build_property("year", "year", "年度", Type.INTEGER, required=True, headers=("年份",)),
            _build_property(
                "leading_talents",
                "new leading talents",
                "领军人才目标",
                Type.INTEGER,
                unit="persons",
            ),
            _build_property(
                "high_skilled",
                "new high-skilled workers",
                "高技能人才目标",
                Type.INTEGER,
                unit="persons",
            ),
        ),
        table="targets",
        key_from=("scope", "year"),
    ),
    NodeKind(
        "Person",
        "Person",
        "人员",
        "person_id",
        (
            PERSON_ID,
            _build_key_property("name", "name", "姓名", personal=True),
            _build_property("sex", "sex", "性别", choices=SEXES),
            _build_property(
                "birth_date", "born on", "出生日期", DATE_TYPE, personal=True, masked=True
            ),
            _build_property(
                "id_number",
                "citizen ID number (kept as a keyed digest)",
                "身份证号",
                Type.ID_NUMBER,
                personal=True,
                masked=True,
                headers=("身份证号码", "公民身份号码", "证件号码"),
            ),
            PROVINCE,
            _build_property(
                "occupation_code",
                "occupation",
                "职业代码",
                Type.OCCUPATION,
                headers=("职业编码", "工种代码"),
            ),
            _build_property(
                "enterprise_id", "enterprise", "企业编号", headers=("单位编号", "所在企业编号")
            ),
            _build_property("retired_on", "retired on", "退休日期", DATE_TYPE, masked=True),
            _build_property("type", "type of talent", "人才类型", choices=PERSON_TYPES),
            _build_property(
                "retirement_category",
                "which of a woman's two statutory ages applies",
                "退休类别",
                choices=RETIREMENT_CATEGORIES,
                headers=("人员身份", "身份类别", "岗位类别"),
            ),
            # Nothing stated is no consent.
            _build_property(
                "story_consent",
                "consents to a skill story with the name",
                "同意公开技能故事",
                Type.BOOLEAN,
                headers=("技能故事授权", "故事公开授权"),
            ),
        ),
        table="people",
        names=("name",),
        indexes=("name", "id_digest"),
        links=(
            IN_PROVINCE,
            Link("occupation_code", "PRACTISES", ("Occupation",), create=True),
            Link("enterprise_id", "EMPLOYED_BY", ("Enterprise",)),
        ),
    ),
    # Departments number the same person each in their own way: one id stands, these lead to it.
    NodeKind(
        "PersonAlias",
        "Further id of a person",
        "人员其他编号",
        "alias_id",
        (_build_property("alias_id", "a person's id that another id stands for", "其他编号"),),
    ),
    NodeKind(
        "EnterpriseAlias",
        "Further id of an enterprise",
        "企业其他编号",
        "alias_id",
        (_build_property("alias_id", "an enterprise's id that another stands for", "其他编号"),),
    ),
    NodeKind(
        "SchoolAlias",
        "Further id of a school",
        "院校其他编号",
        "alias_id",
        (_build_property("alias_id", "a school's id that another stands for", "其他编号"),),
    ),
    NodeKind(
        "StudioAlias",
        "Further id of a studio",
        "工作室其他编号",
        "alias_id",
        (_build_property("alias_id", "a studio's id that another stands for", "其他编号"),),
    ),
)

FACETS: tuple[Facet, ...] = (
    Facet(
        "TrainingTarget",
        "Key training target",
        "重点培养对象",
        "Person",
        "person_id",
        "training_targets",
        (
            PERSON_ID,
            _build_property("listed_on", "listed on", "列入日期", DATE_TYPE, required=True),
            _build_property("reason", "reason", "列入理由"),
        ),
    ),
)

OCCUPATION = _build_property(
    "occupation_code", "occupation", "职业代码", Type.OCCUPATION, headers=("职业编码", "工种代码")
)
PERSON_KINDS = ("Person",)

RELATIONS: tuple[Relation, ...] = (
    # (:Person:LeadingTalent)-[:NAMED]->(:Honour)
    Relation(
        "NAMED",
        "Named a leading talent on this basis",
        "认定为领军人才",
        End("person_id", PERSON_KINDS, label="LeadingTalent"),
        End("basis", ("Honour",), create=True),
        (
            PERSON_ID,
            _build_property(
                "basis",
                "basis, clause (1) of the programme",
                "认定依据",
                required=True,
                choices=BASES,
            ),
            _build_property("recognised_on", "named on", "认定日期", DATE_TYPE, required=True),
            _build_property("industry", "industry", "行业"),
            _build_property("grade", "grade", "级别", choices=GRADES, headers=("等级",)),
        ),
        key=("recognised_on",),
        table="talents",
    ),
    # (:Person)-[:RECOGNISED]->(:Occupation)
    Relation(
        "RECOGNISED",
        "Recognised at a level of the ladder",
        "职业技能等级认定",
        End("person_id", PERSON_KINDS),
        End("occupation_code", ("Occupation",), create=True),
        (
            PERSON_ID,
            _build_property(
                "level",
                "level of the new eight-level ladder",
                "技能等级",
                Type.LEVEL,
                required=True,
                headers=("等级", "职业技能等级"),
            ),
            OCCUPATION,
            _build_property(
                "date", "recognised on", "认定日期", DATE_TYPE, required=True, headers=("发证日期",)
            ),
            _build_property(
                "mode", "mode", "认定方式", choices=RECOGNITION_MODES, headers=("评价方式",)
            ),
            _build_property(
                "certificate_no", "certificate", "证书编号", masked=True, headers=("证书号",)
            ),
        ),
        key=("date", "level"),
        table="recognitions",
    ),
    # (:Person)-[:MENTORS]->(:Person:Apprentice)
    Relation(
        "MENTORS",
        "Mentors",
        "师徒",
        End("mentor_id", PERSON_KINDS),
        End("apprentice_id", PERSON_KINDS, label="Apprentice"),
        (
            _build_key_property(
                "mentor_id", "mentor", "师傅编号", headers=("师父编号", "导师编号")
            ),
            _build_key_property("apprentice_id", "apprentice", "徒弟编号", headers=("学徒编号",)),
            COUNTED_START,
            _build_property("end", "last day", "结束日期", DATE_TYPE, together="period"),
            _build_property(
                "kind", "kind", "带徒方式", choices=MENTORSHIP_KINDS, headers=("类型",)
            ),
            _build_property(
                "enterprise_id",
                "enterprise where it takes place",
                "企业编号",
                headers=("单位编号",),
            ),
            _build_property("status", "status", "状态", choices=MENTORSHIP_STATUSES),
        ),
        key=("start", "kind"),
        table="mentorships",
        one_tie=True,
    ),
    # (:Person)-[:HONOURED]->(:Honour)
    Relation(
        "HONOURED",
        "Honoured",
        "获荣誉",
        End("person_id", PERSON_KINDS),
        End("honour", ("Honour",), create=True),
        (
            PERSON_ID,
            _build_key_property(
                "honour", "honour", "荣誉名称", choices=BASES, open_choice=True, headers=("荣誉",)
            ),
            _build_property(
                "grade", "grade", "级别", required=True, choices=GRADES, headers=("等级",)
            ),
            _build_property(
                "date",
                "honoured on",
                "日期",
                DATE_TYPE,
                required=True,
                headers=("授予日期", "获奖日期"),
            ),
        ),
        key=("date",),
        table="honours",
    ),
    # (:Person)-[:LEADS]->(:Studio)
    Relation(
        "LEADS",
        "Leads",
        "领办工作室",
        End("person_id", PERSON_KINDS),
        End("studio_id", ("Studio",)),
        (
            _build_key_property("studio_id", "studio", "工作室编号", headers=("工作室ID",)),
            PERSON_ID,
            *COUNTED_PERIOD,
        ),
        key=("start",),
        table="studio_leads",
    ),
    # (:Person)-[:TRAINED_AT]->(:Studio|School|Enterprise)
    Relation(
        "TRAINED_AT",
        "Trained at",
        "培训于",
        End("person_id", PERSON_KINDS),
        End("place_id", ("Studio", "School", "Enterprise")),
        (
            PERSON_ID,
            _build_key_property(
                "place_id",
                "studio, school or enterprise",
                "培训地点编号",
                headers=("培训机构编号", "培训单位编号"),
            ),
            *COUNTED_PERIOD,
            _build_property("kind", "kind", "培训方式", choices=TRAINING_KINDS, headers=("类型",)),
        ),
        key=("start", "kind"),
        table="trainings",
    ),
    # (:Person)-[:EMPLOYED_BY]->(:Enterprise)
    Relation(
        "EMPLOYED_BY",
        "Employed by",
        "就职于",
        End("person_id", PERSON_KINDS),
        End("enterprise_id", ("Enterprise",)),
        (
            PERSON_ID,
            _build_key_property("enterprise_id", "enterprise", "企业编号", headers=("单位编号",)),
            *PERIOD,
            _build_property("position", "position", "岗位", headers=("职务",)),
            _build_property("service_until", "agreed to serve until", "服务期至", DATE_TYPE),
            _build_property("reemployed", "kept on after retirement", "返聘", Type.BOOLEAN),
            _build_property(
                "non_compete_until",
                "bound not to work for a competitor until",
                "竞业限制至",
                DATE_TYPE,
                headers=("竞业限制截止日期", "竞业限制到期日期"),
            ),
            _build_property(
                "retirement_postponed_until",
                "retirement postponed until",
                "延迟退休至",
                DATE_TYPE,
                masked=True,
                headers=("延迟退休截止日期", "延迟退休到期日期"),
            ),
            _build_property(
                "pay_form",
                "form of pay",
                "薪酬形式",
                choices=PAY_FORMS,
                headers=("分配方式", "薪酬方式"),
            ),
        ),
        key=("start",),
        table="employments",
    ),
    # (:Person)-[:TEACHES_AT]->(:School)
    Relation(
        "TEACHES_AT",
        "Teaches at",
        "任教于",
        End("person_id", PERSON_KINDS),
        End("school_id", ("School",)),
        (
            PERSON_ID,
            _build_key_property("school_id", "school", "院校编号", headers=("学校编号",)),
            *PERIOD,
            _build_property("part_time", "part-time", "兼职", Type.BOOLEAN),
        ),
        key=("start",),
        table="teaching",
    ),
    # (:Enterprise)-[:PARTNERS_WITH]->(:School)
    Relation(
        "PARTNERS_WITH",
        "Partners with",
        "校企合作",
        End("enterprise_id", ("Enterprise",)),
        End("school_id", ("School",)),
        (
            _build_key_property("enterprise_id", "enterprise", "企业编号"),
            _build_key_property("school_id", "school", "院校编号", headers=("学校编号",)),
            *PERIOD,
            _build_property("kind", "kind", "合作方式", headers=("类型",)),
        ),
        key=("start", "kind"),
        table="partnerships",
    ),
    # (:Person)-[:PLACED_IN]->(:Competition)
    Relation(
        "PLACED_IN",
        "Placed in",
        "竞赛名次",
        End("person_id", PERSON_KINDS),
        End("competition_id", ("Competition",)),
        (
            PERSON_ID,
            _build_key_property("competition_id", "competition", "竞赛编号"),
            _build_property("rank", "rank", "名次", Type.INTEGER, required=True),
            OCCUPATION,
        ),
        key=("occupation_code",),
        table="placings",
    ),
    # (:Person)-[:WORKED_ON]->(:Project). Shared projects are ties; no skill passes on by them, so
    # they are no influence edges.
    Relation(
        "WORKED_ON",
        "Worked on",
        "参与项目",
        End("person_id", PERSON_KINDS),
        End("project_id", ("Project",)),
        (
            PERSON_ID,
            _build_key_property("project_id", "project", "项目编号", headers=("项目ID",)),
            _build_property("role", "role", "项目角色", headers=("角色", "承担角色")),
            *PERIOD,
        ),
        key=("start", "role"),
        table="participations",
    ),
    # (:Person)-[:ACHIEVED]->(:Achievement)
    Relation(
        "ACHIEVED",
        "Achieved",
        "取得成果",
        End("person_id", PERSON_KINDS),
        End("title", ("Achievement",), create=True),
        (
            PERSON_ID,
            _build_key_property("title", "title", "成果名称", headers=("成果", "名称")),
            _build_property(
                "kind",
                "kind",
                "成果类型",
                required=True,
                choices=ACHIEVEMENT_KINDS,
                headers=("成果类别", "类型"),
            ),
            _build_property("grade", "grade", "级别", choices=GRADES, headers=("等级",)),
            _build_property(
                "date",
                "granted on",
                "日期",
                DATE_TYPE,
                headers=("取得日期", "授权日期", "获奖日期"),
            ),
        ),
        key=("kind", "date"),
        table="achievements",
    ),
    # (:Subsidy)-[:PAID_TO]->(:Person|Studio|Enterprise|School)
    Relation(
        "PAID_TO",
        "Paid to",
        "补贴发放",
        End("kind", ("Subsidy",), create=True),
        End("recipient_id", ("Person", "Studio", "Enterprise", "School")),
        (
            _build_key_property(
                "recipient_id",
                "person, studio, enterprise or school that received it",
                "补贴对象编号",
                headers=("领取对象编号", "享受对象编号"),
            ),
            _build_property(
                "kind",
                "kind",
                "补贴类型",
                required=True,
                choices=SUBSIDY_KINDS,
                open_choice=True,
                headers=("补贴项目", "补贴名称", "补贴"),
            ),
            _build_property(
                "amount",
                "amount",
                "补贴金额",
                FLOAT_TYPE,
                required=True,
                headers=("金额",),
                unit="yuan",
                masked=True,
            ),
            _build_property("year", "year", "年度", Type.INTEGER, required=True, headers=("年份",)),
        ),
        key=("year",),
        table="subsidies",
    ),
    # (:Occupation)-[:DEMANDED_IN]->(:Province)
    Relation(
        "DEMANDED_IN",
        "Positions open",
        "岗位需求",
        End("occupation_code", ("Occupation",), create=True),
        End("province", ("Province",), create=True),
        (
            _build_key_property("occupation_code", "occupation", "职业代码"),
            _build_property("province", "province", "省份", Type.PROVINCE, required=True),
            _build_property("year", "year", "年度", Type.INTEGER, required=True, headers=("年份",)),
            _build_property(
                "positions",
                "positions open",
                "岗位数",
                Type.INTEGER,
                required=True,
                unit="positions",
            ),
        ),
        key=("year",),
        table="demand",
    ),
    # (:Person|Studio|Enterprise|School|Project)-[:IN_PROVINCE]->(:Province)
    Relation(
        "IN_PROVINCE",
        "In the province",
        "所在省份",
        End("", ("Person", "Studio", "Enterprise", "School", "Project")),
        End("province", ("Province",)),
    ),
    # (:Person)-[:PRACTISES]->(:Occupation)
    Relation(
        "PRACTISES",
        "Practises",
        "从事职业",
        End("person_id", PERSON_KINDS),
        End("occupation_code", ("Occupation",), create=True),
        (
            PERSON_ID,
            _build_key_property(
                "occupation_code", "occupation", "职业代码", Type.OCCUPATION, headers=("工种代码",)
            ),
        ),
        table="practices",
    ),
    # (:PersonAlias)-[:IDENTIFIES]->(:Person)
    Relation(
        "IDENTIFIES",
        "Is a further id of",
        "同一人员",
        End("alias_id", ("PersonAlias",)),
        End("person_id", PERSON_KINDS),
        (
            _build_property(
                "basis", "why the two ids are one person", "合并依据", choices=IDENTITY_BASES
            ),
            _build_property(
                "probability",
                "that they are one person, of a match by probability",
                "合并概率",
                FLOAT_TYPE,
            ),
        ),
    ),
    # (:EnterpriseAlias)-[:DENOTES]->(:Enterprise)
    Relation(
        "DENOTES",
        "Is a further id of the enterprise",
        "同一企业",
        End("alias_id", ("EnterpriseAlias",)),
        End("enterprise_id", ("Enterprise",)),
        (
            _build_property(
                "basis", "why the two ids are one enterprise", "合并依据", choices=IDENTITY_BASES
            ),
        ),
    ),
    # (:SchoolAlias)-[:DENOTES_SCHOOL]->(:School)
    Relation(
        "DENOTES_SCHOOL",
        "Is a further id of the school",
        "同一院校",
        End("alias_id", ("SchoolAlias",)),
        End("school_id", ("School",)),
        (
            _build_property(
                "basis", "why the two ids are one school", "合并依据", choices=IDENTITY_BASES
            ),
        ),
    ),
    # (:StudioAlias)-[:DENOTES_STUDIO]->(:Studio)
    Relation(
        "DENOTES_STUDIO",
        "Is a further id of the studio",
        "同一工作室",
        End("alias_id", ("StudioAlias",)),
        End("studio_id", ("Studio",)),
        (
            _build_property(
                "basis", "why the two ids are one studio", "合并依据", choices=IDENTITY_BASES
            ),
        ),
    ),
    # (:Studio)-[:HOSTED_BY]->(:Enterprise|School)
    Relation(
        "HOSTED_BY",
        "Hosted by",
        "依托单位",
        End("studio_id", ("Studio",)),
        End("host_id", ("Enterprise", "School")),
    ),
    # (:Project)-[:RUN_BY]->(:Enterprise)
    Relation(
        "RUN_BY",
        "Run by",
        "承担单位",
        End("project_id", ("Project",)),
        End("enterprise_id", ("Enterprise",)),
    ),
)

# The occupation of a recognition whose row names none.
UNSTATED_OCCUPATION = "unstated"

# (:Load): one run of a loader. `finished_at` is absent while it runs, and when it was killed.
LOAD = NodeKind(
    "Load",
    "Load",
    "载入",
    "load_id",
    (
        _build_property("load_id", "load", "载入批次"),
        _build_property("loader", "loader", "载入方式"),
        _build_property("revision", "revision of the graph after it", "版本号", Type.INTEGER),
        _build_property("started_at", "started at", "开始时间"),
        _build_property("finished_at", "finished at", "完成时间"),
        _build_property("files", "files read, by name", "文件"),
        _build_property("rows_read", "rows read", "读取行数", Type.INTEGER, unit="rows"),
        _build_property("rows_accepted", "rows accepted", "接受行数", Type.INTEGER, unit="rows"),
        _build_property("rows_rejected", "rows rejected", "拒绝行数", Type.INTEGER, unit="rows"),
        _build_property("merged_ids", "people merged into others", "合并人员数", Type.INTEGER),
        _build_property(
            "undoable", "whether it can be undone: its Undo nodes stand", "可否撤销", Type.BOOLEAN
        ),
        _build_property("undone_at", "undone at", "撤销时间"),
        _build_property("undone_by", "undone by", "撤销人"),
        _build_property("undoes", "the load that this one undoes", "所撤销的载入"),
        _build_property("erased", "people erased by it", "删除人数", Type.INTEGER),
        _build_property("erasure_reason", "why they were erased", "删除原因"),
        _build_property(
            "journal", "whether Change nodes tell what it touched", "有变更记录", Type.BOOLEAN
        ),
    ),
)

# (:Change): what a load touched, at most 10,000 keys a node. `frame` is a label (`keys`: of its
# nodes) or a type of relation (`keys`: of their start nodes); "*" says: read everything again.
CHANGE = NodeKind(
    "Change",
    "Change",
    "变更",
    "load_id",
    (
        _build_property("load_id", "load", "载入批次"),
        _build_property("frame", "label, or type of relation, or * for everything", "所涉类别"),
        _build_property("keys", "keys of the nodes, or of the relations' start nodes", "所涉编号"),
    ),
    indexes=("load_id",),
)

# (:Undo): what stood before a load's batch. Those of the newest loads stay, so that they can be
# undone; the others' go when the load has ended.
UNDO = NodeKind(
    "Undo",
    "Undo",
    "撤销",
    "load_id",
    (
        _build_property("load_id", "load", "载入批次"),
        _build_property("number", "order in which it was written", "序号", Type.INTEGER),
        _build_property(
            "undo_images", "what stood before, compressed", "原记录", personal=True, masked=True
        ),
    ),
    indexes=("load_id",),
)


def stored_properties(declared: Declared) -> Iterator[Property]:
    """What a record of the kind may have: each property, and after each date its precision."""
    for known in declared.properties:
        yield known
        if known.precision is not None:
            yield known.precision


NODE_KINDS: Mapping[str, NodeKind] = {kind.label: kind for kind in (*NODES, LOAD)}
RELATION_KINDS: Mapping[str, Relation] = {relation.type: relation for relation in RELATIONS}


def list_declared_tables() -> Iterator[tuple[str, Declared]]:
    """Each exchange table's name with what it states, in the order in which they are written."""
    every: tuple[Declared, ...] = (*NODES, *FACETS, *RELATIONS)
    for declared in every:
        if declared.table is not None:
            yield declared.table, declared


EXCHANGE_TABLES: Mapping[str, Declared] = dict(list_declared_tables())
