// Leading talents, honours, competitions, training targets, recognitions, achievements.

// column talents | en: Leading talents | zh: 领军人才数
// column target | en: Target | zh: 目标
// column named | en: Named | zh: 已认定
// column missing | en: Missing | zh: 缺口
// column competition | en: Competition | zh: 竞赛
// column recognitions | en: Recognitions | zh: 认定次数
// column first_recognised_on | en: First named on | zh: 首次认定日期
// column first_basis | en: First basis | zh: 首次认定依据
// column studios | en: Studios | zh: 工作室数
// column occupation | en: Occupation | zh: 职业
// column days | en: Days late | zh: 晚于天数
// column event | en: Event | zh: 事件
// column what | en: What | zh: 内容
// column recognised_last | en: Last recognised on | zh: 最近认定日期

// name: leading_talents
// title.en: Leading talents by basis, province and industry
// title.zh: 按认定依据、省份、行业查看领军人才
// help.en: One row a leading talent: when and on what basis first named, direct apprentices and the
// help.en: studios led.
// help.zh: 每位领军人才一行：首次认定日期与依据、直接徒弟数、领办工作室数。
// param basis: basis? | en: Basis | zh: 认定依据
// param province: province? | en: Province | zh: 省份
// param industry: string? | en: Industry | zh: 行业
MATCH (p:LeadingTalent)-[n:NAMED]->(h:Honour)
WHERE ($province IS NULL OR p.province = $province)
  AND ($basis IS NULL OR h.honour = $basis)
  AND ($industry IS NULL OR n.industry = $industry)
WITH p, h, n ORDER BY n.recognised_on, h.honour
WITH p, collect({basis: h.honour, day: n.recognised_on, known: n.recognised_on_precision,
                 industry: n.industry})[0] AS first
RETURN p.person_id AS person_id, p.name AS name, p.province AS province,
       first.industry AS industry, first.basis AS first_basis, first.day AS first_recognised_on,
       first.known AS first_recognised_on_precision,
       COUNT { MATCH (p)-[:MENTORS]->(a) RETURN DISTINCT a } AS apprentices,
       COUNT { MATCH (p)-[:LEADS]->(s) RETURN DISTINCT s } AS studios
ORDER BY person_id

// name: talents_by_basis_and_province
// title.en: How many leading talents, by basis and province
// title.zh: 领军人才数量（按认定依据和省份）
// help.en: A talent named on two bases counts under both.
// help.zh: 同一人有两种认定依据时分别计入。
// param basis: basis? | en: Basis | zh: 认定依据
// param province: province? | en: Province | zh: 省份
MATCH (p:LeadingTalent)-[:NAMED]->(h:Honour)
WHERE ($province IS NULL OR p.province = $province) AND ($basis IS NULL OR h.honour = $basis)
RETURN p.province AS province, h.honour AS basis, count(DISTINCT p) AS talents
ORDER BY province, basis

// name: targets_and_named
// title.en: Leading talents named against the targets
// title.zh: 领军人才认定进度与目标
// help.en: For each target of a year and scope (national, a province, an industry): the people first
// help.en: named a leading talent in that year, and how many are missing.
// help.zh: 各年度、各范围（全国、省份、行业）的目标：当年首次认定的领军人才数及缺口。
// param scope: string? | en: Scope | zh: 范围
// Each talent is looked at once, for all targets together.
CALL () {
  MATCH (p:LeadingTalent)-[n:NAMED]->()
  WITH p, min(n.recognised_on).year AS year, collect(DISTINCT n.industry) AS industries
  UNWIND ['national', p.province] + industries AS scope
  WITH year, scope, count(DISTINCT p) AS named
  RETURN collect({year: year, scope: scope, named: named}) AS counted
}
MATCH (g:Goal)
WHERE g.leading_talents IS NOT NULL AND ($scope IS NULL OR g.scope = $scope)
WITH g, coalesce([c IN counted WHERE c.year = g.year AND c.scope = g.scope | c.named][0], 0)
       AS named
RETURN g.scope AS scope, g.year AS year, g.leading_talents AS target, named,
       CASE WHEN named < g.leading_talents THEN g.leading_talents - named ELSE 0 END AS missing
ORDER BY CASE scope WHEN 'national' THEN 0 ELSE 1 END, scope, year

// name: talents_without_apprentices
// title.en: Leading talents without apprentices
// title.zh: 没有徒弟的领军人才
// help.en: Leading talents who mentor nobody; those who lead a studio may pass skill on there.
// help.zh: 没有带徒关系的领军人才；领办工作室者可能通过工作室传授技能。
// steward: retired_on
// param province: province? | en: Province | zh: 省份
MATCH (p:LeadingTalent)
WHERE NOT EXISTS { (p)-[:MENTORS]->() } AND ($province IS NULL OR p.province = $province)
RETURN p.person_id AS person_id, p.name AS name, p.province AS province,
       COUNT { MATCH (p)-[:LEADS]->(s) RETURN DISTINCT s } AS studios,
       p.retired_on AS retired_on, p.retired_on_precision AS retired_on_precision,
       p.retired_on.year AS retired_in
ORDER BY person_id

// name: winners_without_mentor
// title.en: Competition winners without a mentor
// title.zh: 没有师傅的竞赛获奖者
// help.en: People placed up to the rank whom nobody mentors, the best rank first.
// help.zh: 名次不低于给定值、没有师傅的获奖人员，名次靠前者在前。
// param rank: integer = 3 (1..100) | en: Up to rank | zh: 名次不低于
// param grade: grade? | en: Grade of the competition | zh: 竞赛级别
MATCH (p:Person)-[r:PLACED_IN]->(c:Competition)
WHERE r.rank <= $rank AND ($grade IS NULL OR c.grade = $grade)
  AND NOT EXISTS { (p)<-[:MENTORS]-() }
RETURN p.person_id AS person_id, p.name AS name, r.rank AS rank, c.name AS competition,
       c.grade AS grade, c.date AS date, c.date_precision AS date_precision, p.province AS province
ORDER BY rank, date DESC, person_id

// name: training_targets
// title.en: Key training targets and their mentors
// title.zh: 重点培养对象及其师傅
// help.en: Everybody on the list, the latest first, with level and mentors.
// help.zh: 重点培养对象名单，最近列入者在前，含等级和师傅。
// param without_mentor: boolean = false | en: Only those without a mentor | zh: 仅列无师傅者
MATCH (p:TrainingTarget)
WHERE NOT $without_mentor OR NOT EXISTS { (p)<-[:MENTORS]-() }
RETURN p.person_id AS person_id, p.name AS name, p.listed_on AS listed_on,
       p.listed_on_precision AS listed_on_precision, p.reason AS reason,
       COLLECT { MATCH (p)-[r:RECOGNISED]->()
                 RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
       COLLECT { MATCH (p)<-[:MENTORS]-(m) WITH DISTINCT m
                 RETURN m.name ORDER BY m.name, m.person_id } AS mentor_names
ORDER BY listed_on DESC, person_id

// name: career_of
// title.en: A person's ladder, honours and places
// title.zh: 某人的成长经历
// help.en: Everything dated that is stated of a person, in order: recognitions, honours, being named
// help.en: a leading talent, competitions, mentors taken, studios led, trainings.
// help.zh: 某人的全部有日期记录，按时间排列：等级认定、荣誉、领军人才认定、竞赛、拜师、领办工作室、培训。
// param person_id: person | en: Person | zh: 人员
MATCH (p:Person {person_id: $person_id})
CALL (p) {
  MATCH (p)-[r:RECOGNISED]->(o)
  RETURN r.date AS date, r.date_precision AS date_precision, 'recognised' AS event,
         'level ' + r.level AS what
  UNION ALL
  MATCH (p)-[r:HONOURED]->(h)
  RETURN r.date AS date, r.date_precision AS date_precision, 'honoured' AS event,
         h.honour AS what
  UNION ALL
  MATCH (p)-[r:NAMED]->(h)
  RETURN r.recognised_on AS date, r.recognised_on_precision AS date_precision, 'named' AS event,
         h.honour AS what
  UNION ALL
  MATCH (p)-[r:PLACED_IN]->(c)
  RETURN c.date AS date, c.date_precision AS date_precision, 'placed' AS event,
         c.name + ', ' + r.rank AS what
  UNION ALL
  MATCH (p)<-[r:MENTORS]-(m)
  WITH DISTINCT m, r.start AS date, r.start_precision AS date_precision
  RETURN date, date_precision, 'mentored' AS event, m.name AS what
  UNION ALL
  MATCH (p)-[r:LEADS]->(s)
  RETURN r.start AS date, r.start_precision AS date_precision, 'leads' AS event, s.name AS what
  UNION ALL
  MATCH (p)-[r:TRAINED_AT]->(s)
  RETURN r.start AS date, r.start_precision AS date_precision, 'trained' AS event, s.name AS what
}
RETURN date, date_precision, event, what
ORDER BY date, event, what

// name: honours_of
// title.en: Honours of a person
// title.zh: 某人的荣誉
// help.en: Honours and awards with grade and day, the latest first.
// help.zh: 荣誉、级别和日期，最近者在前。
// param person_id: person | en: Person | zh: 人员
MATCH (:Person {person_id: $person_id})-[r:HONOURED]->(h:Honour)
RETURN h.honour AS honour, r.grade AS grade, r.date AS date,
       r.date_precision AS date_precision
ORDER BY date DESC, honour

// name: recognitions_by_level_and_year
// title.en: Recognitions by level and year
// title.zh: 各年度、各等级认定情况
// help.en: Certificates and the people who got them, by year and level of the ladder.
// help.zh: 按年度和等级统计的认定次数与人数。
// addable: recognitions
// param from_year: integer = 2020 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
// param province: province? | en: Province | zh: 省份
MATCH (p:Person)-[r:RECOGNISED]->()
WHERE $from_year <= r.date.year <= $to_year AND ($province IS NULL OR p.province = $province)
RETURN r.date.year AS year, r.level AS level, count(r) AS recognitions,
       count(DISTINCT p) AS people
ORDER BY year, level

// name: skilled_before_mentored
// title.en: Mentorships that began after the apprentice was high-skilled
// title.zh: 徒弟已是高技能人才之后才开始的师徒关系
// help.en: The apprentice reached the level before the mentorship began, so that it can't have led
// help.en: there; the longest delay first.
// help.zh: 徒弟在师徒关系开始前已达到该等级，因此不能归因于该师傅；间隔最长者在前。
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param rows: integer = 200 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (a:Person)-[r:RECOGNISED]->()
WHERE r.level >= $high_skilled_level
WITH a, min(r.date) AS high_skilled_on
MATCH (m:Person)-[k:MENTORS]->(a)
WHERE k.start > high_skilled_on
WITH m, a, k, k.start AS start, high_skilled_on,
     duration.inDays(high_skilled_on, k.start).days AS days
ORDER BY days DESC, m.person_id, a.person_id
LIMIT $rows
RETURN m.person_id AS mentor_id, m.name AS mentor, a.person_id AS person_id, a.name AS name,
       high_skilled_on, COLLECT {
         MATCH (a)-[r:RECOGNISED]->()
         WHERE r.date = high_skilled_on AND r.level >= $high_skilled_level
         RETURN r.date_precision ORDER BY r.level DESC, r.date_precision DESC LIMIT 1
       }[0] AS high_skilled_on_precision,
       start, k.start_precision AS start_precision, days

// name: achievements_after_recognition
// title.en: Achievements after the last recognition
// title.zh: 最近一次等级认定后取得的成果
// help.en: People below the level who have a patent, a process, an improvement or an award that is
// help.en: dated after their last recognition: evidence for an exceptional promotion. An achievement
// help.en: without a day is left out.
// help.zh: 等级低于给定级别、在最近一次等级认定之后取得专利、工艺工法、技术革新或成果奖的人员，可作为破格晋升的依据。无日期的成果不列。
// param level: integer = 8 (1..8) | en: Below level | zh: 等级低于
// param province: province? | en: Province | zh: 省份
MATCH (p:Person)-[a:ACHIEVED]->(t:Achievement)
WHERE a.date IS NOT NULL AND ($province IS NULL OR p.province = $province)
CALL (p) {
  OPTIONAL MATCH (p)-[r:RECOGNISED]->()
  RETURN coalesce(max(r.level), 0) AS level, max(r.date) AS recognised_last
}
WITH p, a, t, level, recognised_last
WHERE level < $level AND (recognised_last IS NULL OR a.date > recognised_last)
RETURN p.person_id AS person_id, p.name AS name, level, recognised_last, t.title AS title,
       a.kind AS kind, a.grade AS grade, a.date AS date, a.date_precision AS date_precision
ORDER BY level DESC, person_id, date, title
