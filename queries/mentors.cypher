// Mentors: their age, their load, what is missing.

// column retires_on | en: Retires on | zh: 退休日期
// column retires_in | en: Retires in | zh: 退休年份
// column retired_in | en: Retired in | zh: 退休年份
// column known_by | en: Known by | zh: 依据
// column at_once | en: Apprentices at once | zh: 同时在带徒弟数
// column mentor | en: Mentor | zh: 师傅
// column apprentice | en: Apprentice | zh: 徒弟
// column since_retirement | en: Days since retirement | zh: 退休后天数
// column positions | en: Positions open | zh: 岗位需求
// column positions_a_mentor | en: Positions a mentor | zh: 每位师傅对应岗位数
// column enterprise | en: Enterprise | zh: 企业

// name: mentors_about_to_retire
// title.en: Mentors about to retire
// title.zh: 即将退休的师傅
// help.en: Mentors who retire within so many months, with apprentices still under them: on the
// help.en: recorded day, else in the statutory month under the rules of 2025, as on the page
// help.en: Departures. Left out is who is kept on or has agreed on a later retirement. Known by age
// help.en: as worker and as cadre: which of a woman's two months applies is not on record. Without a
// help.en: data steward's rights years are given in place of days, and whole calendar years are
// help.en: looked at.
// help.zh: 在给定月数内退休且仍在带徒的师傅：以登记的退休日期为准，未登记者按 2025 年起的法定退休月份推算，与“离任与接续”页一致；返聘及已约定延迟退休者不列。依据为 age_worker、age_cadre 时，工人或干部身份未知，两个月份分列。非数据管理员只显示年份，并按整年查询。
// steward: retires_on
// param today: date = today | en: Today | zh: 今天
// param months: integer = 12 (1..240) | en: Within months | zh: 月数
// The rule: graph/people/retirement.py. Days would tell a birthday to whoever asks for one day
// after the other: they are years. A month has passed when it is over.
WITH $today + duration({months: $months}) AS until
WITH CASE WHEN $steward THEN $today ELSE date({year: $today.year, month: 1, day: 1}) END AS from,
     CASE WHEN $steward THEN until ELSE date({year: until.year, month: 12, day: 31}) END AS until
// Retired is who is so by the day, or by the end of last year.
WITH from, until, CASE WHEN $steward THEN from + duration({days: 1}) ELSE from END AS next
MATCH (p:Person)
WHERE EXISTS { (p)-[:MENTORS]->() }
WITH p, from, until, next, COLLECT {
       MATCH (p)-[e:EMPLOYED_BY]->()
       WHERE (e.start IS NULL OR e.start <= $today)
         AND (e.end IS NULL OR e.end >= CASE e.end_precision
                WHEN 'month' THEN date.truncate('month', $today)
                WHEN 'year' THEN date.truncate('year', $today) ELSE $today END)
       RETURN e } AS open,
     CASE WHEN coalesce(p.birth_date_precision, '') <> 'year'
       THEN 12 * p.birth_date.year + p.birth_date.month - 1 END AS born,
     coalesce(p.retirement_category, 'unknown') AS category
WHERE none(e IN open WHERE coalesce(e.reemployed, false) AND (e.service_until IS NULL
        OR e.service_until >= CASE e.service_until_precision
             WHEN 'month' THEN date.truncate('month', $today)
             WHEN 'year' THEN date.truncate('year', $today) ELSE $today END))
WITH p, from, until, next, born, [e IN open
       WHERE e.retirement_postponed_until >= CASE e.retirement_postponed_until_precision
         WHEN 'month' THEN date.truncate('month', from)
         WHEN 'year' THEN date.truncate('year', from) ELSE from END
       | 12 * e.retirement_postponed_until.year + CASE e.retirement_postponed_until_precision
           WHEN 'year' THEN 11 ELSE e.retirement_postponed_until.month - 1 END] AS postponed,
     CASE WHEN p.sex = 'male' THEN [{known_by: 'age', old: 60, every: 4, most: 36}]
          WHEN p.sex = 'female' AND category = 'cadre'
            THEN [{known_by: 'age', old: 55, every: 4, most: 36}]
          WHEN p.sex = 'female' AND category = 'worker'
            THEN [{known_by: 'age', old: 50, every: 2, most: 60}]
          WHEN p.sex = 'female' AND category = 'unknown'
            THEN [{known_by: 'age_worker', old: 50, every: 2, most: 60},
                  {known_by: 'age_cadre', old: 55, every: 4, most: 36}]
          ELSE [] END AS rules
WITH p, from, until, next, postponed, [r IN rules WHERE born IS NOT NULL
       | {known_by: r.known_by, every: r.every, most: r.most, old: born + 12 * r.old,
          delay: (born + 12 * r.old - 24300) / r.every + 1}] AS rules
WITH p, from, until, next, postponed, [r IN rules
       | {known_by: r.known_by, months: r.old + CASE WHEN r.old < 24300 THEN 0
            WHEN r.delay > r.most THEN r.most ELSE r.delay END}] AS rules
UNWIND CASE WHEN p.retired_on IS NOT NULL
              THEN [{known_by: 'record', day: p.retired_on, precision: p.retired_on_precision}]
            WHEN any(month IN postponed WHERE month >= rules[-1].months) THEN []
            ELSE [r IN rules | {known_by: r.known_by, precision: 'month',
                    day: date({year: r.months / 12, month: r.months % 12 + 1, day: 1})}] END AS way
WITH p, way, way.day AS retires_on, until,
     CASE WHEN way.known_by = 'record' THEN next ELSE from END AS first
WHERE retires_on <= until AND retires_on >= CASE way.precision
        WHEN 'month' THEN date.truncate('month', first)
        WHEN 'year' THEN date.truncate('year', first) ELSE first END
WITH p, way, retires_on, COUNT {
       MATCH (p)-[m:MENTORS]->(a)
       WHERE (m.end IS NULL OR m.end >= $today) AND coalesce(m.status, 'ongoing') = 'ongoing'
       RETURN DISTINCT a } AS apprentices
WHERE apprentices > 0
RETURN p.person_id AS person_id, p.name AS name, retires_on,
       way.precision AS retires_on_precision, retires_on.year AS retires_in,
       way.known_by AS known_by,
       apprentices, p.province AS province, p.occupation_code AS occupation_code
ORDER BY retires_in, CASE WHEN $steward THEN retires_on END, person_id, known_by

// name: retired_mentors_with_apprentices
// title.en: Retired mentors whose apprentices go on
// title.zh: 已退休但仍在带徒的师傅
// help.en: Mentors retired by today whose mentorships are still going on, the longest retired first.
// help.en: Without a data steward's rights years are given in place of days.
// help.zh: 截至今天已退休、师徒关系仍在进行的师傅，退休最久者在前。非数据管理员只显示年份。
// steward: retired_on, since_retirement
// param today: date = today | en: Today | zh: 今天
WITH CASE WHEN $steward THEN $today WHEN $today.year = date().year THEN date()
          ELSE date({year: $today.year, month: 12, day: 31}) END AS day
MATCH (p:Person)-[m:MENTORS]->(a:Person)
WITH p, m, a, day + duration({days: 1}) AS next
// A month has passed when it is over.
WHERE p.retired_on < CASE p.retired_on_precision WHEN 'month' THEN date.truncate('month', next)
    WHEN 'year' THEN date.truncate('year', next) ELSE next END
  AND (m.end IS NULL OR m.end >= $today)
  AND coalesce(m.status, 'ongoing') = 'ongoing'
WITH p, count(DISTINCT a) AS apprentices
RETURN p.person_id AS person_id, p.name AS name, p.retired_on AS retired_on,
       p.retired_on_precision AS retired_on_precision,
       p.retired_on.year AS retired_in,
       duration.inDays(p.retired_on, $today).days AS since_retirement, apprentices
ORDER BY retired_in, CASE WHEN $steward THEN retired_on END, person_id

// name: mentors_by_apprentices
// title.en: Mentors with most apprentices
// title.zh: 徒弟最多的师傅
// help.en: All apprentices, and those who are under them on the day. A mentorship that its status
// help.en: calls over is.
// help.zh: 徒弟总数，以及当日在带徒弟数。状态为已结束的师徒关系不计入在带。
// param today: date = today | en: Day | zh: 日期
// param province: province? | en: Province | zh: 省份
// param rows: integer = 50 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[m:MENTORS]->(a:Person)
WHERE $province IS NULL OR p.province = $province
WITH p, count(DISTINCT a) AS apprentices,
     count(DISTINCT CASE WHEN m.start <= $today AND (m.end IS NULL OR m.end >= $today)
                          AND coalesce(m.status, 'ongoing') = 'ongoing' THEN a END) AS at_once
ORDER BY apprentices DESC, p.person_id
LIMIT $rows
RETURN p.person_id AS person_id, p.name AS name, p:LeadingTalent AS leading_talent,
       p.province AS province, apprentices, at_once

// name: undated_mentorships
// title.en: Mentorships without a first day
// title.zh: 没有开始日期的师徒关系
// help.en: They are left out of the driven number until they are dated; with file and row, so that
// help.en: the source can be asked.
// help.zh: 补齐日期之前不计入带动人数；列出文件与行号，便于向来源核实。
// param rows: integer = 1000 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[m:MENTORS]->(a:Person)
WHERE m.start IS NULL
RETURN p.person_id AS mentor_id, p.name AS mentor, a.person_id AS apprentice_id,
       a.name AS apprentice, m.end AS end, m.end_precision AS end_precision, [] + m.sources AS sources, m.row AS row
ORDER BY mentor_id, apprentice_id
LIMIT $rows

// name: occupations_short_of_mentors
// title.en: Occupations in demand with few mentors
// title.zh: 需求大而师傅少的职业
// help.en: Open positions of the year against the people who practise the occupation, have
// help.en: apprentices and are not retired; most positions a mentor first, none at all before that.
// help.zh: 当年岗位需求与从事该职业、带过徒弟且未退休人数之比；没有师傅者在前，其后按每位师傅对应岗位数从高到低。
// addable: positions
// param year: integer = 2026 (1950..2100) | en: Year | zh: 年度
// param today: date = today | en: Today | zh: 今天
// param province: province? | en: Province | zh: 省份
// param rows: integer = 50 (1..100000) | en: Rows at most | zh: 最多行数
WITH CASE WHEN $steward THEN $today WHEN $today.year = date().year THEN date()
          ELSE date({year: $today.year, month: 12, day: 31}) END AS day
MATCH (o:Occupation)-[d:DEMANDED_IN]->(v:Province)
WHERE d.year = $year AND ($province IS NULL OR v.code = $province)
WITH day, o, sum(d.positions) AS positions
// What a person practises may be stated twice, by the person's own row and by a row of practices.
WITH o, positions, COUNT {
       MATCH (p:Person)-[:PRACTISES]->(o)
       WHERE EXISTS { (p)-[:MENTORS]->() } AND (p.retired_on IS NULL OR p.retired_on > day)
         AND ($province IS NULL OR p.province = $province)
       RETURN DISTINCT p } AS mentors
RETURN o.code AS occupation_code, o.name AS occupation, positions, mentors,
       CASE WHEN mentors > 0 THEN round(toFloat(positions) / mentors, 1) END AS positions_a_mentor
ORDER BY CASE WHEN mentors = 0 THEN 0 ELSE 1 END, positions_a_mentor DESC, positions DESC,
         occupation_code
LIMIT $rows

// name: kept_on_after_retirement
// title.en: People kept on after retirement
// title.zh: 退休后返聘人员
// help.en: Who was employed again after retirement, where, and how many people they have mentored.
// help.zh: 退休返聘人员、返聘单位及其带徒人数。
// steward: retired_on
// param province: province? | en: Province | zh: 省份
MATCH (p:Person)-[e:EMPLOYED_BY]->(c:Enterprise)
WHERE e.reemployed AND ($province IS NULL OR p.province = $province)
RETURN p.person_id AS person_id, p.name AS name, p.retired_on AS retired_on,
       p.retired_on_precision AS retired_on_precision,
       p.retired_on.year AS retired_in, c.enterprise_id AS enterprise_id, c.name AS enterprise,
       e.start AS start, e.start_precision AS start_precision,
       e.end AS end, e.end_precision AS end_precision,
       COUNT { MATCH (p)-[:MENTORS]->(a) RETURN DISTINCT a } AS apprentices
ORDER BY person_id, start

// name: service_periods_ending
// title.en: Agreed service periods that end soon
// title.zh: 即将到期的服务期
// help.en: Mentors and leading talents whose agreed service ends within so many months.
// help.zh: 约定服务期在给定月数内到期的师傅和领军人才。
// param today: date = today | en: Today | zh: 今天
// param months: integer = 12 (1..240) | en: Within months | zh: 月数
MATCH (p:Person)-[e:EMPLOYED_BY]->(c:Enterprise)
WHERE e.service_until <= $today + duration({months: $months})
  // A month has passed when it is over.
  AND e.service_until >= CASE e.service_until_precision
    WHEN 'month' THEN date.truncate('month', $today)
    WHEN 'year' THEN date.truncate('year', $today) ELSE $today END
  AND (p:LeadingTalent OR EXISTS { (p)-[:MENTORS]->() })
RETURN e.service_until AS service_until, e.service_until_precision AS service_until_precision,
       p.person_id AS person_id, p.name AS name,
       p:LeadingTalent AS leading_talent, c.enterprise_id AS enterprise_id, c.name AS enterprise
ORDER BY service_until, person_id
