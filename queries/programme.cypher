// The programme's means: studios, schools, projects, subsidies; and what came of them.

// column schools | en: Schools | zh: 院校数
// column partnerships | en: Partnerships | zh: 合作数
// column last_training | en: Last training begun on | zh: 最近培训开始日期
// column recipient_id | en: Recipient (id) | zh: 领取对象编号
// column recipient | en: Recipient | zh: 领取对象
// column last_year | en: Last year | zh: 最近年度
// column kinds | en: Kinds | zh: 类型数
// column projects | en: Projects | zh: 项目数
// column going_on | en: Going on | zh: 在建数
// column achievements | en: Achievements | zh: 成果数
// column competitions | en: Competitions | zh: 竞赛数
// column honours | en: Honours | zh: 荣誉数
// column names | en: Names | zh: 姓名

// name: studios_by_kind_and_grade
// title.en: Studios by kind and grade
// title.zh: 各类型、各级别工作室
// help.en: How many studios there are of each kind and grade, and the people trained at them.
// help.zh: 按类型和级别统计工作室数及培训人数。
// addable: studios
// param province: province? | en: Province | zh: 省份
MATCH (s:Studio)
WHERE $province IS NULL OR s.province = $province
OPTIONAL MATCH (s)<-[:TRAINED_AT]-(p:Person)
RETURN s.kind AS kind, s.grade AS grade, count(DISTINCT s) AS studios, count(DISTINCT p) AS trained
ORDER BY kind, grade

// name: studios_founded_by_year
// title.en: Studios founded, by year
// title.zh: 各年度新建工作室
// help.en: By year and kind, the latest first; studios without a day of foundation are left out.
// help.zh: 按成立年度和类型统计，最近者在前；无成立日期的不计。
// addable: studios
// param province: province? | en: Province | zh: 省份
MATCH (s:Studio)
WHERE s.founded IS NOT NULL AND ($province IS NULL OR s.province = $province)
RETURN s.founded.year AS year, s.kind AS kind, count(s) AS studios
ORDER BY year DESC, kind

// name: studios_without_new_trainees
// title.en: Studios without new trainees
// title.zh: 长期未开展培训的工作室
// help.en: Studios at which no training has begun within so many months, the longest silent first;
// help.en: those that never trained anybody have no day. An undated training counts among those
// help.en: trained, and not as new: a studio of undated trainings alone has no day either.
// help.zh: 在给定月数内没有新开展培训的工作室，间隔最长者在前；从未培训过的没有日期。无开始日期的培训计入培训人数，但不算新开展；仅有此类培训的工作室也没有日期。
// param today: date = today | en: Day | zh: 日期
// param months: integer = 24 (1..240) | en: Within months | zh: 月数
// param province: province? | en: Province | zh: 省份
MATCH (s:Studio)
WHERE $province IS NULL OR s.province = $province
OPTIONAL MATCH (s)<-[t:TRAINED_AT]-(p:Person)
WITH s, max(t.start) AS last_training, count(DISTINCT p) AS trained
WHERE last_training IS NULL OR last_training < $today - duration({months: $months})
RETURN s.studio_id AS studio_id, s.name AS studio, s.kind AS kind, s.grade AS grade,
       last_training, trained
ORDER BY last_training, studio_id

// name: schools_by_output
// title.en: Schools by output
// title.zh: 院校产出
// help.en: The people trained at each school, and how many of them first reached the level in the
// help.en: window, after their training began; most of them first. Partnerships are those going on
// help.en: by the day.
// help.zh: 各院校培训人数，以及其中在统计期内、培训开始之后首次达到该等级的人数，多者在前。校企合作只计当日存续的。
// addable: partnerships
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param today: date = today | en: Day | zh: 日期
// param province: province? | en: Province | zh: 省份
MATCH (k:School)
WHERE $province IS NULL OR k.province = $province
OPTIONAL MATCH (k)<-[t:TRAINED_AT]-(p:Person)
WITH k, p, min(t.start) AS since
WITH k, p, since, CASE WHEN p IS NOT NULL THEN COLLECT {
       MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $high_skilled_level
       RETURN r.date ORDER BY r.date LIMIT 1
     }[0] END AS day
WITH k, count(p) AS trained,
     count(CASE WHEN $window_start <= day <= $window_end AND since <= day THEN p END)
       AS new_high_skilled
RETURN k.school_id AS school_id, k.name AS school, k.province AS province, trained,
       new_high_skilled, COUNT {
         MATCH (k)<-[r:PARTNERS_WITH]-()
         WHERE (r.start IS NULL OR r.start <= $today) AND (r.end IS NULL OR r.end >= $today)
       } AS partnerships
ORDER BY new_high_skilled DESC, trained DESC, school_id

// name: partnerships_by_kind
// title.en: Partnerships of schools and enterprises, by kind
// title.zh: 各方式校企合作
// help.en: Those going on by the day, and how many enterprises and schools are in them.
// help.zh: 当日存续的校企合作数，以及涉及的企业数和院校数。
// addable: partnerships
// param today: date = today | en: Day | zh: 日期
MATCH (c:Enterprise)-[r:PARTNERS_WITH]->(k:School)
WHERE (r.start IS NULL OR r.start <= $today) AND (r.end IS NULL OR r.end >= $today)
RETURN r.kind AS kind, count(r) AS partnerships, count(DISTINCT c) AS enterprises,
       count(DISTINCT k) AS schools
ORDER BY partnerships DESC, kind

// name: subsidies_by_province
// title.en: Subsidies by province and year
// title.zh: 各省份补贴发放情况
// help.en: By the province of whoever was paid. Where one or two people are among the recipients,
// help.en: the sum is a data steward's.
// help.zh: 按领取对象所在省份统计。领取对象中只有一两名人员的，合计仅数据管理员可见。
// addable: amount
// param year: integer? (1990..2999) | en: Year | zh: 年度
MATCH (:Subsidy)-[x:PAID_TO]->(r)
WHERE $year IS NULL OR x.year = $year
WITH r.province AS province, x.year AS year, count(DISTINCT r) AS recipients,
     sum(x.amount) AS amount, count(DISTINCT CASE WHEN r:Person THEN r END) AS people
RETURN province, year, recipients,
       CASE WHEN $steward OR NOT people IN [1, 2] THEN amount END AS amount
ORDER BY year DESC, province

// name: subsidies_to_organisations
// title.en: Studios, enterprises and schools that were paid most
// title.zh: 补贴金额最高的工作室、企业和院校
// help.en: All they were paid, the kinds it was of, and the last year. People are not listed.
// help.zh: 累计发放金额、补贴类型数和最近年度。不含个人。
// addable: amount
// param year: integer? (1990..2999) | en: Year | zh: 年度
// param rows: integer = 50 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (s:Subsidy)-[x:PAID_TO]->(r:Studio|Enterprise|School)
WHERE $year IS NULL OR x.year = $year
WITH r, sum(x.amount) AS amount, count(DISTINCT s) AS kinds, max(x.year) AS last_year
RETURN coalesce(r.studio_id, r.enterprise_id, r.school_id) AS recipient_id, r.name AS recipient,
       r.province AS province, amount, kinds, last_year
ORDER BY amount DESC, recipient_id
LIMIT $rows

// name: projects_by_kind
// title.en: Projects by kind
// title.zh: 各类项目
// help.en: Projects of each kind, those going on by the day, and all who work or worked on them.
// help.zh: 各类项目数、当日在建数，以及参与过的人数。
// addable: projects, going_on
// param today: date = today | en: Day | zh: 日期
MATCH (j:Project)
OPTIONAL MATCH (j)<-[:WORKED_ON]-(p:Person)
RETURN j.kind AS kind, count(DISTINCT j) AS projects,
       count(DISTINCT CASE WHEN (j.start IS NULL OR j.start <= $today)
                            AND (j.end IS NULL OR j.end >= $today) THEN j END) AS going_on,
       count(DISTINCT p) AS people
ORDER BY people DESC, kind

// name: projects_without_talents
// title.en: Projects without a leading talent
// title.zh: 没有领军人才参与的项目
// help.en: Projects on which no leading talent works or worked, those with most people first.
// help.zh: 没有领军人才参与的项目，参与人数多者在前。
// param kind: string? | en: Kind | zh: 类型
MATCH (j:Project)
WHERE ($kind IS NULL OR j.kind = $kind) AND NOT EXISTS { (j)<-[:WORKED_ON]-(:LeadingTalent) }
RETURN j.project_id AS project_id, j.name AS project, j.kind AS kind,
       COLLECT { MATCH (j)-[:RUN_BY]->(c) RETURN c.name ORDER BY c.name LIMIT 1 }[0] AS enterprise,
       COUNT { MATCH (j)<-[:WORKED_ON]-(p) RETURN DISTINCT p } AS people
ORDER BY people DESC, project_id

// name: achievements_by_kind_and_year
// title.en: Achievements by kind and year
// title.zh: 各年度、各类成果
// help.en: Patents, processes, improvements and awards by the year they were granted, and the people
// help.en: who have them. An achievement of several people counts once. Undated ones are left out.
// help.zh: 按取得年度统计专利、工艺工法、技术革新、成果奖的数量和人数；多人共有的成果只计一次。无取得日期的不计。
// param from_year: integer = 2015 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
MATCH (p:Person)-[a:ACHIEVED]->(t:Achievement)
WHERE $from_year <= a.date.year <= $to_year
RETURN a.date.year AS year, a.kind AS kind, count(DISTINCT t) AS achievements,
       count(DISTINCT p) AS people
ORDER BY year DESC, kind

// name: shared_achievements
// title.en: Achievements of several people
// title.zh: 多人共同取得的成果
// help.en: Who made something together; most people first.
// help.zh: 由多人共同取得的成果及其人员，人数多者在前。
// param people: integer = 2 (2..1000) | en: People at least | zh: 最少人数
// param rows: integer = 200 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[a:ACHIEVED]->(t:Achievement)
WITH t, min(a.kind) AS kind, collect(DISTINCT p) AS achievers
WHERE size(achievers) >= $people
WITH t, kind, size(achievers) AS people, achievers
ORDER BY people DESC, t.title
LIMIT $rows
RETURN t.title AS title, kind, people,
       COLLECT { UNWIND achievers AS p RETURN p.name ORDER BY p.person_id } AS names
ORDER BY people DESC, title

// name: competitions_by_grade_and_year
// title.en: Competitions by grade and year
// title.zh: 各年度、各级别竞赛
// help.en: Competitions and the people who were placed in them.
// help.zh: 竞赛场次及获得名次的人数。
// addable: competitions
// param from_year: integer = 2015 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
MATCH (c:Competition)
WHERE $from_year <= c.date.year <= $to_year
OPTIONAL MATCH (c)<-[:PLACED_IN]-(p:Person)
RETURN c.date.year AS year, c.grade AS grade, count(DISTINCT c) AS competitions,
       count(DISTINCT p) AS people
ORDER BY year DESC, grade

// name: winners_not_recognised_since
// title.en: Competition winners not recognised since
// title.zh: 竞赛获奖后未再晋级的人员
// help.en: People placed up to the rank who have had no recognition since the day of the
// help.en: competition: a reason to assess them, or to promote them out of turn.
// help.zh: 名次不低于给定值、竞赛之后没有新的等级认定的人员，可作为评价认定或破格晋升的线索。
// param rank: integer = 3 (1..100) | en: Up to rank | zh: 名次不低于
// param grade: grade? | en: Grade of the competition | zh: 竞赛级别
MATCH (p:Person)-[r:PLACED_IN]->(c:Competition)
WHERE r.rank <= $rank AND ($grade IS NULL OR c.grade = $grade)
  AND NOT EXISTS { MATCH (p)-[k:RECOGNISED]->() WHERE k.date >= c.date }
RETURN p.person_id AS person_id, p.name AS name, r.rank AS rank, c.name AS competition,
       c.grade AS grade, c.date AS date, c.date_precision AS date_precision,
       COLLECT { MATCH (p)-[k:RECOGNISED]->()
                 RETURN k.level ORDER BY k.level DESC LIMIT 1 }[0] AS level
ORDER BY date DESC, rank, person_id

// name: honours_by_grade_and_year
// title.en: Honours by grade and year
// title.zh: 各年度、各级别荣誉
// help.en: Honours and awards given, and the people who got them.
// help.zh: 授予荣誉的人次和人数。
// addable: honours
// param from_year: integer = 2015 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
MATCH (p:Person)-[h:HONOURED]->()
WHERE $from_year <= h.date.year <= $to_year
RETURN h.date.year AS year, h.grade AS grade, count(h) AS honours, count(DISTINCT p) AS people
ORDER BY year DESC, grade

// name: talents_by_industry
// title.en: How many leading talents, by industry
// title.zh: 领军人才数量（按行业）
// help.en: By the industry of the first time a talent was named.
// help.zh: 按首次认定时的行业统计。
// addable: talents
// param province: province? | en: Province | zh: 省份
MATCH (p:LeadingTalent)-[n:NAMED]->(h:Honour)
WHERE $province IS NULL OR p.province = $province
WITH p, n ORDER BY n.recognised_on, h.honour
WITH p, collect({industry: n.industry})[0].industry AS industry
RETURN industry, count(p) AS talents
ORDER BY talents DESC, industry

// name: talents_by_year
// title.en: How many leading talents were first named, by year
// title.zh: 领军人才数量（按首次认定年度）
// help.en: By the year and the basis of the first time; the targets are in targets_and_named.
// help.zh: 按首次认定年度和认定依据统计；与目标的对照见 targets_and_named。
// addable: talents
// param province: province? | en: Province | zh: 省份
MATCH (p:LeadingTalent)-[n:NAMED]->(h:Honour)
WHERE $province IS NULL OR p.province = $province
WITH p, n, h ORDER BY n.recognised_on, h.honour
WITH p, collect({year: n.recognised_on.year, basis: h.honour})[0] AS first
RETURN first.year AS year, first.basis AS basis, count(p) AS talents
ORDER BY year DESC, basis
