"""Codes and their words in English and Chinese: levels, honours, kinds, provinces."""

from __future__ import annotations

from collections.abc import Mapping

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
IDENTITY_BASES: Choices = {
    "id_number": ("same citizen ID number", "身份证号相同"),
    "certificate": ("same certificate number and name", "证书编号和姓名相同"),
    "name": ("same name and place, or credit code", "名称和所在地、或信用代码相同"),
    "probable": ("matched by probability", "按概率匹配"),
    "decided": ("decided by a steward", "人工认定"),
}
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
RECOGNITION_MODES: Choices = {
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
# Which of a woman's two statutory ages applies: that of workers or that of cadres
# (`graph.people.retirement`).
RETIREMENT_CATEGORIES: Choices = {
    "worker": ("worker", "工人岗位"),
    "cadre": ("cadre", "管理技术岗位"),
    "unknown": ("unknown", "未知"),
}
PAY_FORMS: Choices = {
    "annual": ("annual salary", "年薪制"),
    "agreement": ("salary by agreement", "协议工资制"),
    "project": ("pay by project", "项目工资制"),
    "equity": ("equity", "股权激励"),
}
PROJECT_KINDS: Choices = {
    "key_project": ("key project", "重点项目"),
    "major_project": ("major engineering project", "重大工程"),
    "exhibition": ("exhibition", "展示交流"),
    "south_south": ("South-South cooperation", "南南合作"),
    "foreign_aid": ("foreign aid", "援外项目"),
    "technical_problem": ("technical problem", "技术攻关"),
}
ACHIEVEMENT_KINDS: Choices = {
    "patent": ("patent", "专利"),
    "process": ("process or working method", "工艺工法"),
    "improvement": ("technical improvement", "技术革新"),
    "award": ("award", "成果奖"),
}
# What a subsidy is paid for; a kind by another name stands as it is written.
SUBSIDY_KINDS: Choices = {
    "vocational_training": ("vocational training", "职业培训补贴"),
    "skill_upgrade": ("skill upgrading", "技能提升补贴"),
    "apprentice_training": ("training of apprentices", "学徒培训补贴"),
    "mentoring": ("mentoring allowance", "带徒津贴"),
    "studio_grant": ("grant to a studio", "工作室补助"),
    "talent_allowance": ("talent allowance", "人才津贴"),
}
SEXES: Choices = {"male": ("male", "男"), "female": ("female", "女")}

# GB/T 2260: the 31 provinces, then Hong Kong, Macao and Taiwan (no target is set for these).
PROVINCES: Choices = {
    "11": ("Beijing", "北京"),
    "12": ("Tianjin", "天津"),
    "13": ("Hebei", "河北"),
    "14": ("Shanxi", "山西"),
    "15": ("Inner Mongolia", "内蒙古"),
    "21": ("Liaoning", "辽宁"),
    "22": ("Jilin", "吉林"),
    "23": ("Heilongjiang", "黑龙江"),
    "31": ("Shanghai", "上海"),
    "32": ("Jiangsu", "江苏"),
    "33": ("Zhejiang", "浙江"),
    "34": ("Anhui", "安徽"),
    "35": ("Fujian", "福建"),
    "36": ("Jiangxi", "江西"),
    "37": ("Shandong", "山东"),
    "41": ("Henan", "河南"),
    "42": ("Hubei", "湖北"),
    "43": ("Hunan", "湖南"),
    "44": ("Guangdong", "广东"),
    "45": ("Guangxi", "广西"),
    "46": ("Hainan", "海南"),
    "50": ("Chongqing", "重庆"),
    "51": ("Sichuan", "四川"),
    "52": ("Guizhou", "贵州"),
    "53": ("Yunnan", "云南"),
    "54": ("Tibet", "西藏"),
    "61": ("Shaanxi", "陕西"),
    "62": ("Gansu", "甘肃"),
    "63": ("Qinghai", "青海"),
    "64": ("Ningxia", "宁夏"),
    "65": ("Xinjiang", "新疆"),
    "71": ("Taiwan", "台湾"),
    "81": ("Hong Kong", "香港"),
    "82": ("Macao", "澳门"),
}

# What a target of the programme is set for; an industry stands by its own name.
GOAL_SCOPES: Choices = {"national": ("national", "全国"), **PROVINCES}

# Family names of two characters, which may be set apart from the name; all others have one.
TWO_CHARACTER_FAMILY_NAMES = frozenset(
    (
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "慕容",
        "宇文",
        "长孙",
        "司徒",
        "夏侯",
        "端木",
        "轩辕",
        "独孤",
        "南宫",
        "司空",
        "西门",
        "呼延",
        "闻人",
        "澹台",
        "公冶",
        "宗政",
        "濮阳",
        "淳于",
        "单于",
        "太叔",
        "申屠",
        "仲孙",
        "钟离",
        "鲜于",
        "闾丘",
        "亓官",
        "完颜",
        "纳兰",
        "百里",
        "第五",
    )
)
