"""The one schema: every node kind and relation, declared once.

From these declarations come the constraints and indexes (`graph/schema.py`), the batched MERGE
and the cleanup (`graph/write.py`), the exchange tables with their checks (`loaders/tables.py`),
the header aliases in Chinese, and docs/model.md with its drawn schema (`graph/model_page.py`).

Every node and every relation carries, beside what is declared here, its provenance
(`PROVENANCE`): the sources that state it, the load that last wrote it, and the file and row it
was read from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# The new eight-level ladder. High-skilled = level 4 and above.
LEVELS: Mapping[int, tuple[str, str]] = {
    1: ("apprentice", "学徒工"),
    2: ("junior worker", "初级工"),
    3: ("intermediate worker", "中级工"),
    4: ("senior worker", "高级工"),
    5: ("technician", "技师"),
    6: ("senior technician", "高级技师"),
    7: ("special technician", "特级技师"),
    8: ("chief technician", "首席技师"),
}

Choices = Mapping[str, tuple[str, str]]

# Clause (1) of the programme: what makes a leading talent.
BASES: Choices = {
    "national_model_worker": ("National Model Worker", "全国劳动模范"),
    "china_skills_award": ("China Skills Award", "中华技能大奖"),
    "national_technical_expert": ("National Technical Expert", "全国技术能手"),
    "national_may_day_medal": ("National May Day Medal", "全国五一劳动奖章"),
    "government_allowance": ("Government special allowance", "政府特殊津贴"),
    "provincial_commendation": ("Provincial commendation", "省级表彰"),
    "provincial_shortage_recognition": ("Provincial shortage recognition", "省级急需紧缺认定"),
}
GRADES: Choices = {
    "national": ("national", "国家级"),
    "ministerial": ("ministerial", "部级"),
    "provincial": ("provincial", "省级"),
    "municipal": ("municipal", "市级"),
    "enterprise": ("enterprise", "企业级"),
}
MODES: Choices = {
    "assessed": ("assessed", "评价认定"),
    "direct": ("direct recognition", "直接认定"),
    "exceptional": ("exceptional promotion", "破格晋升"),
}
MENTORSHIP_KINDS: Choices = {
    "apprenticeship": ("apprenticeship", "学徒制"),
    "famous_teacher": ("famous teacher", "名师带徒"),
    "school": ("school", "院校培养"),
    "project": ("project", "项目带徒"),
    "peer": ("peer", "结对互学"),
}
MENTORSHIP_STATUSES: Choices = {
    "ongoing": ("ongoing", "进行中"),
    "completed": ("completed", "已出师"),
    "ended": ("ended", "已终止"),
}
STUDIO_KINDS: Choices = {
    "skill_master": ("skill-master studio", "技能大师工作室"),
    "model_worker_innovation": (
        "model-worker innovation studio",
        "劳模和工匠人才创新工作室",
    ),
}
SCHOOL_KINDS: Choices = {
    "technical": ("technical school", "技工院校"),
    "vocational": ("vocational school", "职业院校"),
    "craftsmen_college": ("craftsmen college", "工匠学院"),
    "training_base": ("training base", "实训基地"),
    "research": ("research institute", "科研院所"),
}
TRAINING_KINDS: Choices = {
    "on_the_job": ("on the job", "岗位练兵"),
    "school_enterprise": ("school and enterprise", "校企联合"),
    "key_position": ("key position", "关键岗位"),
    "key_project": ("key project", "重点项目"),
    "overseas": ("overseas", "境外研修"),
}
PERSON_TYPES: Choices = {
    "technical": ("technical", "技术技能型"),
    "compound": ("compound", "复合技能型"),
    "knowledge": ("knowledge", "知识技能型"),
    "digital": ("digital", "数字技能型"),
}
SEXES: Choices = {"male": ("male", "男"), "female": ("female", "女")}

# GB/T 2260: the 31 provinces, then Hong Kong, Macao and Taiwan (no target is set for these).
PROVINCES: Choices = {
    "11": ("Beijing", "北京"), "12": ("Tianjin", "天津"), "13": ("Hebei", "河北"),
    "14": ("Shanxi", "山西"), "15": ("Inner Mongolia", "内蒙古"), "21": ("Liaoning", "辽宁"),
    "22": ("Jilin", "吉林"), "23": ("Heilongjiang", "黑龙江"), "31": ("Shanghai", "上海"),
    "32": ("Jiangsu", "江苏"), "33": ("Zhejiang", "浙江"), "34": ("Anhui", "安徽"),
    "35": ("Fujian", "福建"), "36": ("Jiangxi", "江西"), "37": ("Shandong", "山东"),
    "41": ("Henan", "河南"), "42": ("Hubei", "湖北"), "43": ("Hunan", "湖南"),
    "44": ("Guangdong", "广东"), "45": ("Guangxi", "广西"), "46": ("Hainan", "海南"),
    "50": ("Chongqing", "重庆"), "51": ("Sichuan", "四川"), "52": ("Guizhou", "贵州"),
    "53": ("Yunnan", "云南"), "54": ("Tibet", "西藏"), "61": ("Shaanxi", "陕西"),
    "62": ("Gansu", "甘肃"), "63": ("Qinghai", "青海"), "64": ("Ningxia", "宁夏"),
    "65": ("Xinjiang", "新疆"), "71": ("Taiwan", "台湾"), "81": ("Hong Kong", "香港"),
    "82": ("Macao", "澳门"),
}  # fmt: skip

# What a target of the programme is set for; an industry stands by its own name.
SCOPES: Choices = {"national": ("national", "全国"), **PROVINCES}


class Type(StrEnum):
    """What a value is, in the exchange tables and in Neo4j."""

    STRING = "string"
    DATE = "date"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    LEVEL = "level"  # 1-8, or its name; kept as an integer
    PROVINCE = "province"  # a two-digit code, or the province's name; kept as the code
    ID_NUMBER = "id number"  # checked, then kept only as a keyed digest


@dataclass(frozen=True)
class Property:
    """One property of a node kind or relation, and the exchange column it comes from.

    `zh` is both its Chinese label and its Chinese header; `headers` are further headers taken.
    `open_choice`: a text that is none of the choices is taken as it stands.
    """

    name: str
    en: str
    zh: str
    type: Type = Type.STRING
    required: bool = False
    choices: Choices | None = None
    open_choice: bool = False
    unit: str = ""
    personal: bool = False
    headers: tuple[str, ...] = ()

    @property
    def stored(self) -> str:
        """Its name in Neo4j; an ID number is kept only as a digest."""
        return "id_digest" if self.type is Type.ID_NUMBER else self.name


@dataclass(frozen=True)
class Link:
    """A reference column of a node's table: an edge from the node to the one it names.

    `create` makes the other end when it is not there (reference kinds: a code is enough);
    otherwise an unknown reference is a warning and the row is taken without the link.
    """

    column: str
    relation: str
    ends: tuple[str, ...]
    create: bool = False


@dataclass(frozen=True)
class NodeKind:
    """A kind of node: its label, key, properties, and the exchange table that states it."""

    label: str
    en: str
    zh: str
    key: str
    properties: tuple[Property, ...]
    table: str | None = None
    links: tuple[Link, ...] = ()
    key_from: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return tuple(p for p in self.properties if not (self.key_from and p.name == self.key))


@dataclass(frozen=True)
class End:
    """One end of a relation: the column that names it, the kinds it may be, a label it earns."""

    column: str
    kinds: tuple[str, ...]
    label: str | None = None
    create: bool = False


@dataclass(frozen=True)
class Relation:
    """A kind of relation. `key` are the properties that tell two between the same ends apart."""

    type: str
    en: str
    zh: str
    start: End
    end: End
    properties: tuple[Property, ...] = ()
    key: tuple[str, ...] = ()
    table: str | None = None
    indexes: tuple[str, ...] = ()

    @property
    def picture(self) -> str:
        """`(:Person)-[:LEADS]->(:Studio)`."""
        left, right = "|".join(self.start.kinds), "|".join(self.end.kinds)
        return f"(:{left})-[:{self.type}]->(:{right})"

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return self.properties


@dataclass(frozen=True)
class Facet:
    """A further label on a node, with properties of its own, stated by a table of its own."""

    label: str
    en: str
    zh: str
    kind: str
    column: str
    table: str
    properties: tuple[Property, ...]

    @property
    def columns(self) -> tuple[Property, ...]:
        """The columns of its exchange table, in order."""
        return self.properties


Declared = NodeKind | Relation | Facet

PROVENANCE = (
    Property("sources", "the sources that state it", "来源"),
    Property("load", "the load that last wrote it", "载入批次"),
    Property("row", "file and row it was read from", "文件与行"),
)
# What `graph.publish` writes on the leading talents; no load states or touches it.
PUBLISHED = (
    Property("driven", "new high-skilled workers driven", "带动人数", Type.INTEGER),
    Property("driven_person_times", "person-times driven", "带动人次", Type.INTEGER),
    Property("driven_g1", "of them by generation: driven_g1, driven_g2, ...", "各代带动人数",
             Type.INTEGER),
    Property("driven_pending", "on a chain, not high-skilled yet", "在途人数", Type.INTEGER),
    Property("driven_equal", "workers by equal credit", "均分带动人数", Type.FLOAT),
    Property("driven_nearest", "workers by nearest credit", "就近带动人数", Type.FLOAT),
    Property("driven_decay", "workers by decaying credit", "递减带动人数", Type.FLOAT),
    Property("driven_rank_best", "best rank in the band of rules", "最好名次", Type.INTEGER),
    Property("driven_rank_worst", "worst rank in the band of rules", "最差名次", Type.INTEGER),
    Property("driven_policy", "id of the policy", "口径编号"),
    Property("driven_rules", "the policy, as JSON", "口径"),
    Property("driven_revision", "revision of the graph it was counted at", "修订号", Type.INTEGER),
    Property("driven_at", "published at", "发布时间"),
)  # fmt: skip
# Columns every exchange table may carry.
EVERY_TABLE = (
    Property("source", "the department or system that states the row", "数据来源"),
    Property("updated_on", "when the source last changed the row", "更新日期", Type.DATE),
)

D, N, S = Type.DATE, Type.FLOAT, Type.STRING


def _p(name: str, en: str, zh: str, type: Type = S, **more: Any) -> Property:
    return Property(name, en, zh, type, **more)


def _id(name: str, en: str, zh: str, **more: Any) -> Property:
    return _p(name, en, zh, required=True, **more)


PERIOD = (_p("start", "first day", "开始日期", D), _p("end", "last day", "结束日期", D))
PERSON_ID = _id("person_id", "person", "人员编号", headers=("人员ID", "个人编号"))
PROVINCE = _p("province", "province", "省份", Type.PROVINCE, headers=("省", "所在省份"))
IN_PROVINCE = Link("province", "IN_PROVINCE", ("Province",), create=True)

NODES: tuple[NodeKind, ...] = (
    NodeKind(
        "Province", "Province", "省份", "code",
        (_id("code", "GB/T 2260 code", "省份代码", headers=("代码",)),
         _id("name", "name", "省份名称", headers=("名称",))),
        table="provinces", names=("name",),
    ),
    NodeKind(
        "Occupation", "Occupation", "职业", "code",
        (_id("code", "code of the national list of occupations", "职业代码", headers=("代码",)),
         _id("name", "name", "职业名称", headers=("名称",))),
        table="occupations", names=("name",),
    ),
    NodeKind(
        "Enterprise", "Enterprise", "企业", "enterprise_id",
        (_id("enterprise_id", "enterprise", "企业编号", headers=("企业ID",)),
         _id("name", "name", "企业名称", headers=("单位名称",)),
         PROVINCE,
         _p("industry", "industry", "行业"),
         _p("ownership", "ownership", "所有制", headers=("所有制性质",)),
         _p("education_fund", "staff education fund", "职工教育经费", N, unit="yuan a year"),
         _p("frontline_education_fund", "of it for front-line workers", "一线职工教育经费", N,
            unit="yuan a year")),
        table="enterprises", links=(IN_PROVINCE,), names=("name",),
    ),
    NodeKind(
        "School", "School", "院校", "school_id",
        (_id("school_id", "school or training base", "院校编号", headers=("学校编号",)),
         _id("name", "name", "院校名称", headers=("学校名称",)),
         _p("kind", "kind", "院校类型", choices=SCHOOL_KINDS, headers=("学校类型",)),
         PROVINCE),
        table="schools", links=(IN_PROVINCE,), names=("name",),
    ),
    NodeKind(
        "Studio", "Studio", "工作室", "studio_id",
        (_id("studio_id", "studio", "工作室编号", headers=("工作室ID",)),
         _id("name", "name", "工作室名称"),
         _p("kind", "kind", "工作室类型", required=True, choices=STUDIO_KINDS),
         _p("grade", "grade", "级别", choices=GRADES, headers=("等级",)),
         _p("host_id", "host enterprise or school", "依托单位编号", headers=("所在单位编号",)),
         PROVINCE,
         _p("founded", "founded on", "成立日期", D),
         _p("industry", "industry", "行业"),
         _p("funding", "public funding received", "资助经费", N, unit="yuan")),
        table="studios", names=("name",),
        links=(IN_PROVINCE, Link("host_id", "HOSTED_BY", ("Enterprise", "School"))),
    ),
    NodeKind(
        "Competition", "Competition", "竞赛", "competition_id",
        (_id("competition_id", "competition", "竞赛编号"),
         _id("name", "name", "竞赛名称"),
         _p("grade", "grade", "级别", required=True, choices=GRADES, headers=("等级",)),
         _p("date", "day of the final", "日期", D, required=True)),
        table="competitions", names=("name",),
    ),
    NodeKind(
        "Honour", "Honour", "荣誉", "honour",
        (_id("honour", "honour, by its code or name", "荣誉名称"),),
    ),
    NodeKind(
        "Goal", "Target of the programme", "目标", "goal_id",
        (_p("goal_id", "scope and year", "目标编号"),
         _id("scope", "national, a province or an industry", "范围", choices=SCOPES,
             open_choice=True),
         _p("year", "year", "年度", Type.INTEGER, required=True, headers=("年份",)),
         _p("leading_talents", "new leading talents", "领军人才目标", Type.INTEGER, unit="persons"),
         _p("high_skilled", "new high-skilled workers", "高技能人才目标", Type.INTEGER,
            unit="persons")),
        table="targets", key_from=("scope", "year"),
    ),
    NodeKind(
        "Person", "Person", "人员", "person_id",
        (PERSON_ID,
         _id("name", "name", "姓名", personal=True),
         _p("sex", "sex", "性别", choices=SEXES),
         _p("birth_date", "born on", "出生日期", D, personal=True),
         _p("id_number", "citizen ID number (kept as a keyed digest)", "身份证号", Type.ID_NUMBER,
            personal=True, headers=("身份证号码", "公民身份号码", "证件号码")),
         PROVINCE,
         _p("occupation_code", "occupation", "职业代码", headers=("职业编码", "工种代码")),
         _p("enterprise_id", "enterprise", "企业编号", headers=("单位编号", "所在企业编号")),
         _p("retired_on", "retired on", "退休日期", D),
         _p("type", "type of talent", "人才类型", choices=PERSON_TYPES)),
        table="people", names=("name",), indexes=("name",),
        links=(IN_PROVINCE,
               Link("occupation_code", "PRACTISES", ("Occupation",), create=True),
               Link("enterprise_id", "EMPLOYED_BY", ("Enterprise",))),
    ),
)  # fmt: skip

FACETS: tuple[Facet, ...] = (
    Facet(
        "TrainingTarget", "Key training target", "重点培养对象", "Person", "person_id",
        "training_targets",
        (PERSON_ID,
         _p("listed_on", "listed on", "列入日期", D, required=True),
         _p("reason", "reason", "列入理由")),
    ),
)  # fmt: skip

OCCUPATION = _p("occupation_code", "occupation", "职业代码", headers=("职业编码", "工种代码"))
PERSON = ("Person",)

RELATIONS: tuple[Relation, ...] = (
    # (:Person:LeadingTalent)-[:NAMED]->(:Honour)
    Relation(
        "NAMED", "Named a leading talent on this basis", "认定为领军人才",
        End("person_id", PERSON, label="LeadingTalent"), End("basis", ("Honour",), create=True),
        (PERSON_ID,
         _p("basis", "basis, clause (1) of the programme", "认定依据", required=True,
            choices=BASES),
         _p("recognised_on", "named on", "认定日期", D, required=True),
         _p("industry", "industry", "行业"),
         _p("grade", "grade", "级别", choices=GRADES, headers=("等级",))),
        key=("recognised_on",), table="talents",
    ),
    # (:Person)-[:RECOGNISED]->(:Occupation)
    Relation(
        "RECOGNISED", "Recognised at a level of the ladder", "职业技能等级认定",
        End("person_id", PERSON), End("occupation_code", ("Occupation",), create=True),
        (PERSON_ID,
         _p("level", "level of the new eight-level ladder", "技能等级", Type.LEVEL, required=True,
            headers=("等级", "职业技能等级")),
         OCCUPATION,
         _p("date", "recognised on", "认定日期", D, required=True, headers=("发证日期",)),
         _p("mode", "mode", "认定方式", choices=MODES, headers=("评价方式",)),
         _p("certificate_no", "certificate", "证书编号", headers=("证书号",))),
        key=("date", "level"), table="recognitions",
    ),
    # (:Person)-[:MENTORS]->(:Person:Apprentice)
    Relation(
        "MENTORS", "Mentors", "师徒",
        End("mentor_id", PERSON), End("apprentice_id", PERSON, label="Apprentice"),
        (_id("mentor_id", "mentor", "师傅编号", headers=("师父编号", "导师编号")),
         _id("apprentice_id", "apprentice", "徒弟编号", headers=("学徒编号",)),
         *PERIOD,
         _p("kind", "kind", "带徒方式", choices=MENTORSHIP_KINDS, headers=("类型",)),
         _p("enterprise_id", "enterprise where it takes place", "企业编号", headers=("单位编号",)),
         _p("status", "status", "状态", choices=MENTORSHIP_STATUSES)),
        key=("start", "kind"), table="mentorships",
    ),
    # (:Person)-[:HONOURED]->(:Honour)
    Relation(
        "HONOURED", "Honoured", "获荣誉",
        End("person_id", PERSON), End("honour", ("Honour",), create=True),
        (PERSON_ID,
         _id("honour", "honour", "荣誉名称", choices=BASES, open_choice=True, headers=("荣誉",)),
         _p("grade", "grade", "级别", required=True, choices=GRADES, headers=("等级",)),
         _p("date", "honoured on", "日期", D, required=True, headers=("授予日期", "获奖日期"))),
        key=("date",), table="honours",
    ),
    # (:Person)-[:LEADS]->(:Studio)
    Relation(
        "LEADS", "Leads", "领办工作室",
        End("person_id", PERSON), End("studio_id", ("Studio",)),
        (_id("studio_id", "studio", "工作室编号", headers=("工作室ID",)), PERSON_ID, *PERIOD),
        key=("start",), table="studio_leads",
    ),
    # (:Person)-[:TRAINED_AT]->(:Studio|School|Enterprise)
    Relation(
        "TRAINED_AT", "Trained at", "培训于",
        End("person_id", PERSON), End("place_id", ("Studio", "School", "Enterprise")),
        (PERSON_ID,
         _id("place_id", "studio, school or enterprise", "培训地点编号",
             headers=("培训机构编号", "培训单位编号")),
         *PERIOD,
         _p("kind", "kind", "培训方式", choices=TRAINING_KINDS, headers=("类型",))),
        key=("start", "kind"), table="trainings",
    ),
    # (:Person)-[:EMPLOYED_BY]->(:Enterprise)
    Relation(
        "EMPLOYED_BY", "Employed by", "就职于",
        End("person_id", PERSON), End("enterprise_id", ("Enterprise",)),
        (PERSON_ID,
         _id("enterprise_id", "enterprise", "企业编号", headers=("单位编号",)),
         *PERIOD,
         _p("position", "position", "岗位", headers=("职务",)),
         _p("service_until", "agreed to serve until", "服务期至", D),
         _p("reemployed", "kept on after retirement", "返聘", Type.BOOLEAN)),
        key=("start",), table="employments",
    ),
    # (:Person)-[:TEACHES_AT]->(:School)
    Relation(
        "TEACHES_AT", "Teaches at", "任教于",
        End("person_id", PERSON), End("school_id", ("School",)),
        (PERSON_ID,
         _id("school_id", "school", "院校编号", headers=("学校编号",)),
         *PERIOD,
         _p("part_time", "part-time", "兼职", Type.BOOLEAN)),
        key=("start",), table="teaching",
    ),
    # (:Enterprise)-[:PARTNERS_WITH]->(:School)
    Relation(
        "PARTNERS_WITH", "Partners with", "校企合作",
        End("enterprise_id", ("Enterprise",)), End("school_id", ("School",)),
        (_id("enterprise_id", "enterprise", "企业编号"),
         _id("school_id", "school", "院校编号", headers=("学校编号",)),
         *PERIOD,
         _p("kind", "kind", "合作方式", headers=("类型",))),
        key=("start", "kind"), table="partnerships",
    ),
    # (:Person)-[:PLACED_IN]->(:Competition)
    Relation(
        "PLACED_IN", "Placed in", "竞赛名次",
        End("person_id", PERSON), End("competition_id", ("Competition",)),
        (PERSON_ID,
         _id("competition_id", "competition", "竞赛编号"),
         _p("rank", "rank", "名次", Type.INTEGER, required=True),
         OCCUPATION),
        key=("occupation_code",), table="placings",
    ),
    # (:Occupation)-[:DEMANDED_IN]->(:Province)
    Relation(
        "DEMANDED_IN", "Positions open", "岗位需求",
        End("occupation_code", ("Occupation",), create=True),
        End("province", ("Province",), create=True),
        (_id("occupation_code", "occupation", "职业代码"),
         _p("province", "province", "省份", Type.PROVINCE, required=True),
         _p("year", "year", "年度", Type.INTEGER, required=True, headers=("年份",)),
         _p("positions", "positions open", "岗位数", Type.INTEGER, required=True,
            unit="positions")),
        key=("year",), table="demand",
    ),
    # (:Person|Studio|Enterprise|School)-[:IN_PROVINCE]->(:Province)
    Relation(
        "IN_PROVINCE", "In the province", "所在省份",
        End("", ("Person", "Studio", "Enterprise", "School")), End("province", ("Province",)),
    ),
    # (:Person)-[:PRACTISES]->(:Occupation)
    Relation(
        "PRACTISES", "Practises", "从事职业",
        End("person_id", PERSON), End("occupation_code", ("Occupation",), create=True),
        (PERSON_ID, _id("occupation_code", "occupation", "职业代码", headers=("工种代码",))),
        table="practices",
    ),
    # (:Studio)-[:HOSTED_BY]->(:Enterprise|School)
    Relation(
        "HOSTED_BY", "Hosted by", "依托单位",
        End("studio_id", ("Studio",)), End("host_id", ("Enterprise", "School")),
    ),
)  # fmt: skip

# The occupation of a recognition whose row names none.
UNSTATED_OCCUPATION = "unstated"

# (:Load): one run of a loader. `finished_at` is absent while it runs, and when it was killed.
LOAD = NodeKind(
    "Load", "Load", "载入", "load_id",
    (_p("load_id", "load", "载入批次"),
     _p("loader", "loader", "载入方式"),
     _p("revision", "revision of the graph after it", "修订号", Type.INTEGER),
     _p("started_at", "started at", "开始时间"),
     _p("finished_at", "finished at", "完成时间"),
     _p("files", "files read, by name", "文件"),
     _p("rows_read", "rows read", "读取行数", Type.INTEGER, unit="rows"),
     _p("rows_accepted", "rows accepted", "接受行数", Type.INTEGER, unit="rows"),
     _p("rows_rejected", "rows rejected", "拒绝行数", Type.INTEGER, unit="rows"),
     _p("journal", "whether Change nodes tell what it touched", "有变更记录", Type.BOOLEAN)),
)  # fmt: skip

# (:Change): what a load touched, at most 10,000 keys a node. `frame` is a label (`keys`: of its
# nodes) or a type of relation (`keys`: of their start nodes); "*" says: read everything again.
CHANGE = NodeKind(
    "Change", "Change", "变更", "load_id",
    (_p("load_id", "load", "载入批次"),
     _p("frame", "label, or type of relation, or * for everything", "所涉类别"),
     _p("keys", "keys of the nodes, or of the relations' start nodes", "所涉编号")),
    indexes=("load_id",),
)  # fmt: skip

NODE_KINDS: Mapping[str, NodeKind] = {kind.label: kind for kind in (*NODES, LOAD)}
RELATION_KINDS: Mapping[str, Relation] = {relation.type: relation for relation in RELATIONS}


def declared_tables() -> Iterator[tuple[str, Declared]]:
    """Each exchange table's name with what it states, in the order in which they are written."""
    every: tuple[Declared, ...] = (*NODES, *FACETS, *RELATIONS)
    for declared in every:
        if declared.table is not None:
            yield declared.table, declared


TABLES: Mapping[str, Declared] = dict(declared_tables())
