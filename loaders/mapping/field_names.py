"""What the fields of a mapping are called, in the reader's language."""

from __future__ import annotations

import re
from typing import Final

from graph.messages import Words
from loaders.mapping.aliases import list_known_fields

# In the order in which a list of fields shows them.
FIELD_NAMES: Final = {
    "person.name": Words("name", "姓名"),
    "person.names": Words("names, several in a cell", "姓名（一格多人）"),
    "person.id_number": Words("ID number", "身份证号"),
    "person.own_number": Words("the department's own number", "本单位人员编号"),
    "person.sex": Words("sex", "性别"),
    "person.birth_date": Words("date of birth", "出生日期"),
    "person.retired_on": Words("retired on", "退休日期"),
    "person.province": Words("province of the person", "所在省份"),
    "person.type": Words("type of the person", "人员类别"),
    "person.retirement_category": Words("retires as worker or cadre", "退休类别"),
    "person.story_consent": Words("consents to a skill story", "同意公开技能故事"),
    "employer.name": Words("employer", "工作单位"),
    "employer.credit_code": Words("employer's credit code", "单位统一社会信用代码"),
    "employer.own_number": Words("employer's own number", "单位编号"),
    "employer.name_and_position": Words("employer and position in one cell", "工作单位及职务"),
    "employer.industry": Words("employer's industry", "单位所属行业"),
    "employer.ownership": Words("employer's ownership", "单位性质"),
    "employer.education_fund": Words("education fund", "职工教育经费"),
    "employer.frontline_education_fund": Words(
        "education fund for front-line workers", "用于一线职工的教育经费"
    ),
    "employment.start": Words("employed from", "入职日期"),
    "employment.end": Words("employed until", "离职日期"),
    "employment.period": Words("employed from and until", "聘用起止时间"),
    "employment.reemployed": Words("kept on after retirement", "返聘"),
    "employment.position": Words("position", "职务"),
    "employment.service_until": Words("serves until", "服务期至"),
    "employment.non_compete_until": Words("non-compete until", "竞业限制至"),
    "employment.retirement_postponed_until": Words("retirement postponed until", "延迟退休至"),
    "employment.pay_form": Words("form of pay", "薪酬形式"),
    "occupation.name": Words("occupation", "职业"),
    "occupation.trade": Words("trade within the occupation", "工种"),
    "occupation.code": Words("occupation code", "职业编码"),
    "recognition.level": Words("skill level", "技能等级"),
    "recognition.date": Words("recognised on", "发证日期"),
    "recognition.certificate_no": Words("certificate number", "证书编号"),
    "recognition.status": Words("state of the certificate", "证书状态"),
    "recognition.mode": Words("way of recognition", "评价方式"),
    "mentorship.start": Words("mentorship from", "师徒关系开始日期"),
    "mentorship.end": Words("mentorship until", "师徒关系结束日期"),
    "mentorship.period": Words("mentorship from and until", "师徒协议起止时间"),
    "mentorship.kind": Words("kind of mentorship", "师徒关系类别"),
    "mentorship.status": Words("state of the mentorship", "师徒状态"),
    "studio.name": Words("studio", "工作室名称"),
    "studio.own_number": Words("the department's own number of the studio", "工作室编号"),
    "studio.kind": Words("kind of studio", "工作室类别"),
    "studio.grade": Words("grade of the studio", "工作室级别"),
    "studio.founded": Words("studio founded", "工作室设立时间"),
    "studio.industry": Words("industry of the studio", "工作室所属行业"),
    "studio.province": Words("province of the studio", "工作室所在省份"),
    "studio.role": Words("role in the studio", "工作室角色"),
    "studio.funding": Words("funding of the studio", "工作室资助经费"),
    "host.name": Words("host of the studio", "工作室依托单位"),
    "host.credit_code": Words("host's credit code", "依托单位统一社会信用代码"),
    "honour.name": Words("honour (several in a cell too)", "荣誉名称（可一格多项）"),
    "honour.grade": Words("grade of the honour", "荣誉级别"),
    "honour.date": Words("honour given on", "授予日期"),
    "talent.basis": Words("basis of the naming as leading talent", "领军人才认定依据"),
    "talent.recognised_on": Words("named leading talent on", "领军人才认定日期"),
    "talent.industry": Words("industry of the leading talent", "领军人才所属行业"),
    "talent.grade": Words("grade of the leading talent", "领军人才级别"),
    "competition.name": Words("competition", "竞赛名称"),
    "competition.own_number": Words("the department's own number of the competition", "竞赛编号"),
    "competition.grade": Words("grade of the competition", "竞赛级别"),
    "competition.date": Words("date of the competition", "竞赛日期"),
    "placing.rank": Words("rank in the competition", "竞赛名次"),
    "placing.prize": Words("prize in the competition", "竞赛奖项"),
    "training.place": Words("place of the training", "培训单位"),
    "training.start": Words("training from", "培训开始日期"),
    "training.end": Words("training until", "培训结束日期"),
    "training.period": Words("training from and until", "培训起止时间"),
    "training.kind": Words("kind of training", "培训类别"),
    "teaching.school": Words("school that the person teaches at", "任教学校"),
    "teaching.start": Words("teaches from", "任教开始日期"),
    "teaching.end": Words("teaches until", "任教结束日期"),
    "teaching.period": Words("teaches from and until", "任教起止时间"),
    "teaching.part_time": Words("teaches part-time", "兼职任教"),
    "achievement.title": Words("achievement", "成果名称"),
    "achievement.kind": Words("kind of achievement", "成果类型"),
    "achievement.grade": Words("grade of the achievement", "成果级别"),
    "achievement.date": Words("achievement granted on", "成果取得日期"),
    "project.name": Words("project", "项目名称"),
    "project.kind": Words("kind of project", "项目类型"),
    "project.role": Words("role in the project", "项目角色"),
    "project.start": Words("on the project from", "参与项目开始日期"),
    "project.end": Words("on the project until", "参与项目结束日期"),
    "subsidy.kind": Words("subsidy", "补贴类型"),
    "subsidy.amount": Words("amount of the subsidy", "补贴金额"),
    "subsidy.paid_in": Words("year of the subsidy", "补贴年度"),
    "degree.year": Words("year of the degree", "学位年份"),
    "ignore.row_number": Words("row number (not loaded)", "序号（不导入）"),
    "ignore.remark": Words("remark (not loaded)", "备注（不导入）"),
    "ignore.phone": Words("phone (not loaded)", "联系电话（不导入）"),
    "ignore.age": Words("age (not loaded)", "年龄（不导入）"),
    "ignore.education": Words("education (not loaded)", "学历（不导入）"),
    "ignore.nation": Words("ethnic group (not loaded)", "民族（不导入）"),
    "ignore.party": Words("party membership (not loaded)", "政治面貌（不导入）"),
    "ignore.id_type": Words("type of document (not loaded)", "证件类型（不导入）"),
    "ignore.issuer": Words("issuing body (not loaded)", "发证机构（不导入）"),
    "ignore.joined_work": Words("first employed (not loaded)", "参加工作时间（不导入）"),
    "ignore.validity": Words("validity (not loaded)", "有效期、聘期（不导入）"),
    "ignore.former_level": Words("former level (not loaded)", "原技能等级（不导入）"),
    "ignore.bank_account": Words("bank account (not loaded)", "银行账户（不导入）"),
    "ignore.thesis": Words("thesis (not loaded)", "学位论文（不导入）"),
    "ignore.degree": Words("degree (not loaded)", "学位（不导入）"),
    "ignore.country": Words("country (not loaded)", "国家（不导入）"),
    "ignore.parents": Words("parents (not loaded)", "父母（不导入）"),
    "ignore.coach": Words("coach of a competition (not loaded)", "指导教师（不导入）"),
}
# Not yet understood, or left out on purpose.
UNKNOWN_FIELD_WORDS: Final = Words("not understood, left out", "未识别，不导入")
_ROLE_NAMES: Final = {
    "mentor": Words("mentor", "师傅"),
    "apprentice": Words("apprentice", "徒弟"),
    "lead": Words("studio leader", "领办人"),
}
_ROLE_ATTRIBUTE_NAMES: Final = {
    "name": Words("name", "姓名"),
    "id_number": Words("ID number", "身份证号"),
    "own_number": Words("the department's own number", "本单位编号"),
    "sex": Words("sex", "性别"),
    "birth_date": Words("date of birth", "出生日期"),
    "employer": Words("employer", "单位"),
    "occupation": Words("occupation", "职业"),
    "level": Words("skill level (not loaded)", "技能等级（不导入）"),
    "certificate_no": Words("certificate number (not loaded)", "证书编号（不导入）"),
    "phone": Words("phone (not loaded)", "联系电话（不导入）"),
}
_NUMBERED_ROLE_PATTERN: Final = re.compile(r"(mentor|apprentice|lead)(\d?)\.(\w+)")


def name_field(field: str) -> Words:
    """What a field is called; a field without a name of its own by its code.

    >>> name_field("apprentice2.name").zh, name_field("recognition.level").zh
    ('徒弟 2 姓名', '技能等级')
    """
    if not field:
        return UNKNOWN_FIELD_WORDS
    if honour := re.fullmatch(r"honour(\d)(\.\w+)", field):
        name = FIELD_NAMES[f"honour{honour[2]}"]
        return Words(f"{name.en} {honour[1]}", f"{name.zh} {honour[1]}")
    matched = _NUMBERED_ROLE_PATTERN.fullmatch(field)
    if matched is None or matched[3] not in _ROLE_ATTRIBUTE_NAMES:
        return FIELD_NAMES.get(field, Words(field, field))
    role, attribute = _ROLE_NAMES[matched[1]], _ROLE_ATTRIBUTE_NAMES[matched[3]]
    number = f" {matched[2]} " if matched[2] else ""
    en = f"{role.en}{number or ' '}{attribute.en}" if number else f"{role.en}: {attribute.en}"
    return Words(en, f"{role.zh}{number}{attribute.zh}")


def list_named_fields() -> list[str]:
    """Every field that a column may be, people first, what is not loaded last."""
    known = list_known_fields()
    roles = [f"{role}.{attribute}" for role in _ROLE_NAMES for attribute in _ROLE_ATTRIBUTE_NAMES]
    ordered = [field for field in FIELD_NAMES if field in known]
    stored = [field for field in ordered if not field.startswith("ignore.")]
    left_out = [field for field in ordered if field.startswith("ignore.")]
    people = [field for field in roles if field in known]
    rest = sorted(known - {*ordered, *people})
    return [*stored, *people, *rest, *left_out]
