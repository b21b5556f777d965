// Studios, schools, enterprises and projects; what was paid to whom.

// column studio | en: Studio | zh: 工作室
// column school | en: School | zh: 院校
// column leaders | en: Leaders | zh: 领办人
// column trained | en: Trained | zh: 培训人数
// column new_high_skilled | en: New high-skilled | zh: 新增高技能人才
// column share | en: Share for the front line | zh: 一线占比
// column host | en: Host | zh: 依托单位
// column partners | en: Partners | zh: 是否校企合作
// column project | en: Project | zh: 项目
// column enterprises | en: Enterprises | zh: 企业数
// column recipients | en: Recipients | zh: 领取对象数
// column to_people | en: To people | zh: 发放给人员
// column to_studios | en: To studios | zh: 发放给工作室
// column to_enterprises | en: To enterprises | zh: 发放给企业
// column to_schools | en: To schools | zh: 发放给院校

// name: studios_by_output
// title.en: Studios by output
// title.zh: 工作室产出
// help.en: The people trained at each studio, and how many of them first reached the level in the
// help.en: window, after their training began; most of them first.
// help.zh: 各工作室培训人数，以及其中在统计期内、培训开始之后首次达到该等级的人数，多者在前。
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param province: province? | en: Province | zh: 省份
MATCH (s:Studio)
WHERE $province IS NULL OR s.province = $province
OPTIONAL MATCH (s)<-[t:TRAINED_AT]-(p:Person)
WITH s, p, min(t.start) AS since
WITH s, p, since, CASE WHEN p IS NOT NULL THEN COLLECT {
       MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $high_skilled_level
       RETURN r.date ORDER BY r.date LIMIT 1
     }[0] END AS day
WITH s, count(p) AS trained,
     count(CASE WHEN $window_start <= day <= $window_end AND since <= day THEN p END)
       AS new_high_skilled
RETURN s.studio_id AS studio_id, s.name AS studio, s.kind AS kind, s.grade AS grade,
       s.province AS province,
       COLLECT { MATCH (s)<-[:LEADS]-(l) WITH DISTINCT l
                 RETURN l.name ORDER BY l.name, l.person_id } AS leaders,
       trained, new_high_skilled
ORDER BY new_high_skilled DESC, trained DESC, studio_id

// name: studios_without_leader
// title.en: Studios that nobody leads
// title.zh: 无人领办的工作室
// help.en: Studios with no leader on the day, and the people in training there on that day.
// help.zh: 当日没有领办人的工作室，以及当日在训人数。
// param today: date = today | en: Day | zh: 日期
MATCH (s:Studio)
WHERE NOT EXISTS {
  MATCH (s)<-[l:LEADS]-()
  WHERE (l.start IS NULL OR l.start <= $today) AND (l.end IS NULL OR l.end >= $today)
}
RETURN s.studio_id AS studio_id, s.name AS studio, s.kind AS kind,
       COLLECT { MATCH (s)-[:HOSTED_BY]->(h) RETURN h.name ORDER BY h.name LIMIT 1 }[0] AS host,
       COUNT { MATCH (s)<-[t:TRAINED_AT]-(p)
               WHERE t.start <= $today AND (t.end IS NULL OR t.end >= $today)
               RETURN DISTINCT p } AS trained
ORDER BY trained DESC, studio_id

// name: schools_feeding_enterprises
// title.en: Schools feeding enterprises
// title.zh: 院校向企业输送人才
// help.en: People trained at a school and employed by an enterprise no earlier than their training
// help.en: began, and whether the two are partners. An employment without a first day counts; the
// help.en: enterprise of a person's own row counts where no employment there is on record.
// help.zh: 在院校培训、且不早于培训开始受雇于企业的人数，以及双方是否有校企合作。无起始日期的就业计入；人员登记的所在企业，仅在没有该企业就业记录时计入。
// param province: province? | en: Province of the school | zh: 院校省份
// param people: integer = 1 (1..100000) | en: People at least | zh: 最少人数
MATCH (k:School)<-[t:TRAINED_AT]-(p:Person)-[e:EMPLOYED_BY]->(c:Enterprise)
WHERE ($province IS NULL OR k.province = $province)
  AND (e.start IS NULL OR t.start IS NULL OR e.start >= t.start)
  AND (coalesce(e.key, '') <> 'current'
       OR NOT EXISTS { MATCH (p)-[d:EMPLOYED_BY]->(c) WHERE d.key <> 'current' })
WITH k, c, count(DISTINCT p) AS people
WHERE people >= $people
RETURN k.school_id AS school_id, k.name AS school, c.enterprise_id AS enterprise_id,
       c.name AS enterprise, people, EXISTS { (c)-[:PARTNERS_WITH]->(k) } AS partners
ORDER BY people DESC, school_id, enterprise_id

// name: front_line_education_fund
// title.en: Enterprises that spend too little of the education fund on the front line
// title.zh: 一线职工教育经费占比不足的企业
// help.en: The rule asks for 60 % or more of the staff education fund for front-line workers.
// help.zh: 规定职工教育经费的 60% 以上用于一线职工。
// addable: education_fund, frontline_education_fund
// param share: float = 0.6 (0..1) | en: Share less than | zh: 占比低于
// param province: province? | en: Province | zh: 省份
MATCH (c:Enterprise)
WHERE c.education_fund > 0 AND c.frontline_education_fund IS NOT NULL
  AND ($province IS NULL OR c.province = $province)
WITH c, c.frontline_education_fund / c.education_fund AS share
WHERE share < $share
RETURN c.enterprise_id AS enterprise_id, c.name AS enterprise, c.province AS province,
       c.education_fund AS education_fund,
       c.frontline_education_fund AS frontline_education_fund, round(share, 3) AS share
ORDER BY share, enterprise_id

// name: enterprises_by_talents
// title.en: Enterprises with most leading talents
// title.zh: 领军人才最多的企业
// help.en: By the talents' present enterprise, with the studios hosted there.
// help.zh: 按领军人才现所在企业统计，并列出依托该企业的工作室数。
// addable: talents
// param province: province? | en: Province | zh: 省份
// param rows: integer = 50 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:LeadingTalent)
WHERE p.enterprise_id IS NOT NULL
MATCH (c:Enterprise {enterprise_id: p.enterprise_id})
WHERE $province IS NULL OR c.province = $province
WITH c, count(p) AS talents
RETURN c.enterprise_id AS enterprise_id, c.name AS enterprise, c.province AS province,
       c.industry AS industry, talents, COUNT { (c)<-[:HOSTED_BY]-() } AS studios
ORDER BY talents DESC, enterprise_id
LIMIT $rows

// name: idle_partnerships
// title.en: Partnerships without anybody trained
// title.zh: 没有培训人员的校企合作
// help.en: Partnerships going on by the day where nobody of the enterprise trains or has trained at
// help.en: the school.
// help.zh: 当日存续、但该企业无人在该院校培训过的校企合作。
// param today: date = today | en: Day | zh: 日期
MATCH (c:Enterprise)-[r:PARTNERS_WITH]->(k:School)
WHERE (r.start IS NULL OR r.start <= $today) AND (r.end IS NULL OR r.end >= $today)
  AND NOT EXISTS { (k)<-[:TRAINED_AT]-(:Person)-[:EMPLOYED_BY]->(c) }
RETURN c.enterprise_id AS enterprise_id, c.name AS enterprise, k.school_id AS school_id,
       k.name AS school, r.kind AS kind, r.start AS start,
       r.start_precision AS start_precision
ORDER BY enterprise_id, school_id, start

// name: projects_by_people
// title.en: Projects and who works on them
// title.zh: 项目及参与人员
// help.en: Projects with the enterprise that runs them, everybody who works or worked on them, the
// help.en: leading talents among these, and at how many enterprises they are now.
// help.zh: 各项目的承担单位、参与人数、其中的领军人才数，以及参与人员现所在企业数。
// param going_on: boolean = false | en: Only those going on today | zh: 仅列当日在建项目
// param today: date = today | en: Day | zh: 日期
MATCH (j:Project)
WHERE NOT $going_on
   OR ((j.start IS NULL OR j.start <= $today) AND (j.end IS NULL OR j.end >= $today))
RETURN j.project_id AS project_id, j.name AS project, j.kind AS kind, j.start AS start,
       j.start_precision AS start_precision, j.end AS end, j.end_precision AS end_precision,
       COLLECT { MATCH (j)-[:RUN_BY]->(c) RETURN c.name }[0] AS enterprise,
       COUNT { MATCH (j)<-[:WORKED_ON]-(p) RETURN DISTINCT p } AS people,
       COUNT { MATCH (j)<-[:WORKED_ON]-(p:LeadingTalent) RETURN DISTINCT p } AS talents,
       COUNT { MATCH (j)<-[:WORKED_ON]-(p:Person) WHERE p.enterprise_id IS NOT NULL
               RETURN DISTINCT p.enterprise_id AS id } AS enterprises
ORDER BY people DESC, project_id

// name: subsidies_by_kind
// title.en: Subsidies by kind and year
// title.zh: 各类补贴发放情况
// help.en: What was paid of each kind in each year: in all, and to people, studios, enterprises and
// help.en: schools. Where one or two people were paid, their sum and the sum of all is a data
// help.en: steward's.
// help.zh: 各年度各类补贴的发放总额，以及发放给人员、工作室、企业、院校的金额。只发给一两个人的，个人金额及合计仅数据管理员可见。
// addable: amount, to_people, to_studios, to_enterprises, to_schools
// param year: integer? (1990..2999) | en: Year | zh: 年度
MATCH (k:Subsidy)-[x:PAID_TO]->(r)
WHERE $year IS NULL OR x.year = $year
WITH k.kind AS kind, x.year AS year, count(DISTINCT r) AS recipients, sum(x.amount) AS amount,
     sum(CASE WHEN r:Person THEN x.amount ELSE 0.0 END) AS to_people,
     count(DISTINCT CASE WHEN r:Person THEN r END) AS people,
     sum(CASE WHEN r:Studio THEN x.amount ELSE 0.0 END) AS to_studios,
     sum(CASE WHEN r:Enterprise THEN x.amount ELSE 0.0 END) AS to_enterprises,
     sum(CASE WHEN r:School THEN x.amount ELSE 0.0 END) AS to_schools
WITH *, $steward OR NOT people IN [1, 2] AS told
RETURN kind, year, recipients, CASE WHEN told THEN amount END AS amount,
       CASE WHEN told THEN to_people END AS to_people, to_studios, to_enterprises, to_schools
ORDER BY year DESC, kind
