// Where high-skilled workers come from, and whether they stay.

// column trainings | en: Trainings | zh: 培训人次
// column mentorships | en: Mentorships | zh: 师徒关系数
// column mentoring_since | en: Apprentice since | zh: 最早拜师日期
// column high_skilled | en: High-skilled | zh: 高技能人才数
// column median_years | en: Median years there | zh: 在职年数中位数
// column occupations | en: Occupations | zh: 职业数

// name: new_high_skilled_by_province
// title.en: New high-skilled workers by province
// title.zh: 各省份新增高技能人才
// help.en: People whose first recognition at the level or above lies in the window, whoever taught
// help.en: them. Those whom leading talents drive are a part of them: see driven_workers.
// help.zh: 在统计期内首次达到该等级及以上的人数，不论由谁培养；领军人才带动的人数是其中一部分，见 driven_workers。
// addable: people
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
MATCH (p:Person)-[r:RECOGNISED]->()
WHERE r.level >= $high_skilled_level
WITH p, min(r.date) AS first
WHERE $window_start <= first <= $window_end
RETURN p.province AS province, count(p) AS people
ORDER BY people DESC, province

// name: new_high_skilled_by_occupation
// title.en: New high-skilled workers by occupation
// title.zh: 各职业新增高技能人才
// help.en: As by province, by the occupation of that first recognition, with the positions that are
// help.en: open in it in the year.
// help.zh: 按首次认定的职业统计，并列出该职业当年的岗位需求。
// addable: people, positions
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param year: integer = 2026 (1950..2100) | en: Year of the demand | zh: 需求年度
// param rows: integer = 100 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[r:RECOGNISED]->(o:Occupation)
WHERE r.level >= $high_skilled_level
WITH p, r, o ORDER BY r.date, r.level DESC, o.code
WITH p, collect({day: r.date, occupation: o})[0] AS first
WHERE $window_start <= first.day <= $window_end
WITH first.occupation AS o, count(p) AS people
RETURN o.code AS occupation_code, o.name AS occupation, people,
       reduce(sum = 0, n IN COLLECT {
         MATCH (o)-[d:DEMANDED_IN]->() WHERE d.year = $year RETURN d.positions } | sum + n)
         AS positions
ORDER BY people DESC, occupation_code
LIMIT $rows

// name: training_by_kind_and_year
// title.en: Trainings begun, by kind and year
// title.zh: 各年度、各方式开展的培训
// help.en: Trainings at studios, schools and enterprises by the year in which they began, and the
// help.en: people in them. Undated ones are left out.
// help.zh: 按开始年度统计工作室、院校、企业培训的人次和人数。无开始日期的不计。
// addable: trainings
// param from_year: integer = 2015 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
MATCH (p:Person)-[t:TRAINED_AT]->()
WHERE $from_year <= t.start.year <= $to_year
RETURN t.start.year AS year, t.kind AS kind, count(t) AS trainings, count(DISTINCT p) AS people
ORDER BY year DESC, kind

// name: mentorships_by_kind_and_year
// title.en: Mentorships begun, by kind and year
// title.zh: 各年度、各方式新建的师徒关系
// help.en: By the year in which they began; undated ones are left out (see undated_mentorships).
// help.zh: 按开始年度统计；无开始日期的不计（见 undated_mentorships）。
// addable: mentorships
// param from_year: integer = 2020 (1950..2100) | en: From year | zh: 起始年度
// param to_year: integer = 2030 (1950..2100) | en: To year | zh: 截止年度
MATCH (:Person)-[m:MENTORS]->(a:Person)
WHERE $from_year <= m.start.year <= $to_year
RETURN m.start.year AS year, m.kind AS kind, count(m) AS mentorships, count(DISTINCT a) AS people
ORDER BY year DESC, kind

// name: apprentices_below_level
// title.en: Apprentices who have not reached the level
// title.zh: 尚未达到该等级的在徒人员
// help.en: Apprentices under a mentor on the day whose highest level is below, who began first
// help.en: first: those whom an assessment would help. A mentorship that its status calls over is.
// help.zh: 当日仍有师傅、最高等级低于给定等级的徒弟，拜师最早者在前，可优先安排评价认定。状态为已结束的师徒关系不计。
// param high_skilled_level: integer = 4 (1..8) | en: Below level | zh: 低于等级
// param today: date = today | en: Day | zh: 日期
// param province: province? | en: Province | zh: 省份
// param rows: integer = 200 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (m:Person)-[k:MENTORS]->(p:Person)
WHERE (k.start IS NULL OR k.start <= $today) AND (k.end IS NULL OR k.end >= $today)
  AND coalesce(k.status, 'ongoing') = 'ongoing'
  AND ($province IS NULL OR p.province = $province)
WITH p, min(k.start) AS mentoring_since, count(DISTINCT m) AS mentors
WITH p, mentoring_since, mentors, COLLECT {
       MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level
WHERE coalesce(level, 0) < $high_skilled_level
RETURN p.person_id AS person_id, p.name AS name, p.province AS province, level, mentors,
       mentoring_since
ORDER BY mentoring_since, person_id
LIMIT $rows

// name: leavers_by_enterprise
// title.en: Employments that ended, by enterprise
// title.zh: 各企业离职人员
// help.en: People whose employment at the enterprise ended in the window, and how many of them had
// help.en: reached the level by then. Most first.
// help.zh: 在统计期内结束就业的人数，以及其中届时已达到该等级的人数，多者在前。
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param rows: integer = 100 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[e:EMPLOYED_BY]->(c:Enterprise)
WHERE $window_start <= e.end <= $window_end
WITH c, p, max(e.end) AS left
WITH c, p, EXISTS { MATCH (p)-[r:RECOGNISED]->()
                    WHERE r.level >= $high_skilled_level AND r.date <= left } AS skilled
RETURN c.enterprise_id AS enterprise_id, c.name AS enterprise, count(p) AS people,
       count(CASE WHEN skilled THEN p END) AS high_skilled
ORDER BY people DESC, enterprise_id
LIMIT $rows

// name: tenure_by_enterprise
// title.en: How long people stay, by enterprise
// title.zh: 各企业在职年限
// help.en: The people employed on the day whose first day there is on record, and the median of
// help.en: their full years there. Enterprises with fewer people than asked for are left out.
// help.zh: 当日在职、且有入职日期的人数及在职整年数的中位数；人数少于给定值的企业不列。
// param today: date = today | en: Day | zh: 日期
// param people: integer = 5 (1..100000) | en: People at least | zh: 最少人数
// param rows: integer = 100 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[e:EMPLOYED_BY]->(c:Enterprise)
WHERE e.start <= $today AND (e.end IS NULL OR e.end >= $today)
WITH c, p, min(e.start) AS since
WITH c, count(p) AS people,
     percentileCont(duration.between(since, $today).years, 0.5) AS median_years
WHERE people >= $people
RETURN c.enterprise_id AS enterprise_id, c.name AS enterprise, people,
       round(median_years, 1) AS median_years
ORDER BY median_years, enterprise_id
LIMIT $rows

// name: mentors_by_enterprise
// title.en: Mentors and their apprentices, by enterprise
// title.zh: 各企业的师傅和徒弟
// help.en: By the mentors' present enterprise: people who mentor or have mentored, and all their
// help.en: apprentices, each counted once.
// help.zh: 按师傅现所在企业统计带过徒弟的人数和徒弟人数，同一徒弟只计一次。
// addable: mentors
// param province: province? | en: Province of the enterprise | zh: 企业省份
// param rows: integer = 100 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[:MENTORS]->(a:Person)
WHERE p.enterprise_id IS NOT NULL
WITH p.enterprise_id AS enterprise_id, count(DISTINCT p) AS mentors, count(DISTINCT a) AS apprentices
MATCH (c:Enterprise {enterprise_id: enterprise_id})
WHERE $province IS NULL OR c.province = $province
RETURN enterprise_id, c.name AS enterprise, mentors, apprentices
ORDER BY mentors DESC, enterprise_id
LIMIT $rows

// name: people_by_occupation_and_level
// title.en: People by occupation and level
// title.zh: 各职业、各等级人数
// help.en: Everybody recognised in an occupation, by the highest level reached in it.
// help.zh: 按在该职业达到的最高等级统计人数。
// param occupation_code: occupation? | en: Occupation | zh: 职业
MATCH (p:Person)-[r:RECOGNISED]->(o:Occupation)
WHERE $occupation_code IS NULL OR o.code = $occupation_code
WITH o, p, max(r.level) AS level
RETURN o.code AS occupation_code, o.name AS occupation, level, count(p) AS people
ORDER BY occupation_code, level DESC

// name: demand_by_province
// title.en: Positions open, by province
// title.zh: 各省份岗位需求
// help.en: The positions of the year and the occupations they are in; most first.
// help.zh: 当年各省份的岗位需求总数及涉及的职业数，多者在前。
// addable: positions
// param year: integer = 2026 (1950..2100) | en: Year | zh: 年度
MATCH (o:Occupation)-[d:DEMANDED_IN]->(v:Province)
WHERE d.year = $year
RETURN v.code AS province, sum(d.positions) AS positions, count(DISTINCT o) AS occupations
ORDER BY positions DESC, province
