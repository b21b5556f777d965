// What the pages read of the graph as it is now; nobody is offered these (`// internal:`).
// They give what masking hides: the pages mask. Dates stand beside NAME_precision.

// name: person_record
// internal: All that the pages show of one person; no row where there is none.
MATCH (p:Person {person_id: $id})
RETURN p.person_id AS id, p.name AS name, p.sex AS sex, p.birth_date.year AS born,
  p.province AS province, p.retired_on AS retired_on,
                    p.retired_on_precision AS retired_on_precision, p.type AS type,
  p.retirement_category AS retirement_category, p.story_consent AS story_consent,
  p:LeadingTalent AS leading, p:TrainingTarget AS target, p.listed_on AS listed_on,
                    p.listed_on_precision AS listed_on_precision,
  COLLECT { MATCH (p)-[:PRACTISES]->(o:Occupation) RETURN o.name }[0] AS occupation,
  COLLECT { MATCH (e:Enterprise {enterprise_id: p.enterprise_id}) RETURN e.name }[0] AS enterprise,
  COLLECT { MATCH (p)-[r:RECOGNISED]->(o:Occupation)
            RETURN {level: r.level, day: r.date, day_precision: r.date_precision, mode: r.mode,
                    certificate: r.certificate_no,
                    occupation: o.name, row: r.row} ORDER BY r.date, r.level } AS recognitions,
  COLLECT { MATCH (p)-[n:NAMED]->(h:Honour)
            RETURN {honour: h.honour, day: n.recognised_on,
                    day_precision: n.recognised_on_precision, industry: n.industry, grade: n.grade,
                    row: n.row}
            ORDER BY n.recognised_on } AS named,
  COLLECT { MATCH (p)-[n:HONOURED]->(h:Honour)
            RETURN {honour: h.honour, day: n.date, day_precision: n.date_precision,
                    grade: n.grade, row: n.row}
            ORDER BY n.date } AS honours,
  COLLECT { MATCH (p)-[l:LEADS]->(s:Studio)
            RETURN {id: s.studio_id, name: s.name, kind: s.kind, grade: s.grade, start: l.start,
                    start_precision: l.start_precision,
                    end: l.end, end_precision: l.end_precision,
                    row: l.row} ORDER BY l.start } AS studios,
  COLLECT { MATCH (p)-[l:TRAINED_AT]->(s)
            RETURN {name: s.name, studio: s.studio_id, start: l.start,
                    start_precision: l.start_precision, end: l.end,
                    end_precision: l.end_precision, row: l.row}
            ORDER BY l.start } AS trainings,
  COLLECT { MATCH (p)-[l:EMPLOYED_BY]->(e:Enterprise) WHERE l.start IS NOT NULL
            RETURN {name: e.name, start: l.start, start_precision: l.start_precision, end: l.end,
                    end_precision: l.end_precision, position: l.position,
                    service_until: l.service_until,
                    service_until_precision: l.service_until_precision, reemployed: l.reemployed,
                    non_compete_until: l.non_compete_until,
                    non_compete_until_precision: l.non_compete_until_precision,
                    retirement_postponed_until: l.retirement_postponed_until,
                    retirement_postponed_until_precision: l.retirement_postponed_until_precision,
                    pay_form: l.pay_form, row: l.row}
            ORDER BY l.start } AS employments,
  COLLECT { MATCH (p)<-[l:MENTORS]-(m:Person)
            RETURN {id: m.person_id, name: m.name, consent: m.story_consent, start: l.start,
                    start_precision: l.start_precision, end: l.end,
                    end_precision: l.end_precision, row: l.row}
            ORDER BY l.start } AS mentors,
  COUNT { MATCH (p)-[:MENTORS]->(a:Person) RETURN DISTINCT a } AS apprentices,
  COLLECT { MATCH (p)-[l:PLACED_IN]->(c:Competition)
            RETURN {name: c.name, rank: l.rank, day: c.date, day_precision: c.date_precision,
                    row: l.row}
            ORDER BY c.date } AS placings,
  COLLECT { MATCH (p)-[l:WORKED_ON]->(j:Project)
            RETURN {id: j.project_id, name: j.name, kind: j.kind, role: l.role, start: l.start,
                    start_precision: l.start_precision, end: l.end,
                    end_precision: l.end_precision, row: l.row}
            ORDER BY l.start, j.project_id } AS projects,
  COLLECT { MATCH (p)-[l:ACHIEVED]->(a:Achievement)
            RETURN {title: a.title, kind: l.kind, grade: l.grade, day: l.date,
                    day_precision: l.date_precision, row: l.row}
            ORDER BY l.date, a.title } AS achievements,
  COLLECT { MATCH (k:Subsidy)-[l:PAID_TO]->(p)
            RETURN {kind: k.kind, amount: l.amount, year: l.year, row: l.row}
            ORDER BY l.year, k.kind } AS subsidies,
  COLLECT { MATCH (p)-[l:TEACHES_AT]->(s:School)
            RETURN {name: s.name, start: l.start, start_precision: l.start_precision, end: l.end,
                    end_precision: l.end_precision, row: l.row}
            ORDER BY l.start } AS teaching

// name: person_boxes
// internal: Enough of each person to draw a box, with the first day at a level or above.
UNWIND $ids AS id
MATCH (p:Person {person_id: id})
RETURN id, p.name AS name, p:LeadingTalent AS leading,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date ORDER BY r.date LIMIT 1 }[0] AS skilled_on,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date_precision ORDER BY r.date, r.level DESC, r.date_precision DESC
            LIMIT 1 }[0] AS skilled_on_precision,
  COLLECT { MATCH (p)-[:NAMED|HONOURED]->(h:Honour) RETURN DISTINCT h.honour } AS honours

// name: direct_apprentices
// internal: The people whom one person taught, once each, the latest first.
MATCH (:Person {person_id: $id})-[l:MENTORS]->(p:Person)
WITH p, l ORDER BY l.start, l.start_precision DESC
WITH p, collect(l)[0] AS l
WITH p, l.start AS start, l.start_precision AS start_precision, l.row AS row
RETURN p.person_id AS id, p.name AS name, start, start_precision, p:LeadingTalent AS leading, row,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date ORDER BY r.date LIMIT 1 }[0] AS skilled_on,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.date_precision ORDER BY r.date, r.level DESC, r.date_precision DESC
            LIMIT 1 }[0] AS skilled_on_precision,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() WHERE r.level >= $level
            RETURN r.row ORDER BY r.date, r.level DESC, r.date_precision DESC
            LIMIT 1 }[0] AS skilled_row
ORDER BY start IS NULL, start DESC, name

// name: studio_names
// internal: The names of studios; those without one are left out.
UNWIND $ids AS id
MATCH (s:Studio {studio_id: id})
WHERE s.name IS NOT NULL
RETURN id, s.name AS name

// name: studio_record
// internal: One studio with its hosts and leaders, twenty leaders at most.
MATCH (s:Studio {studio_id: $id})
RETURN s.name AS name, s.founded AS founded, s.founded_precision AS founded_precision,
  COLLECT { MATCH (s)-[:HOSTED_BY]->(h) RETURN {id: coalesce(h.enterprise_id, h.school_id),
            name: h.name, kind: CASE WHEN h:School THEN 'school' ELSE 'enterprise' END} } AS hosts,
  COLLECT { MATCH (p:Person)-[l:LEADS]->(s)
            RETURN {id: p.person_id, name: p.name, start: l.start,
                    start_precision: l.start_precision, end: l.end, end_precision: l.end_precision}
            ORDER BY l.start LIMIT 20 } AS leaders,
  COLLECT { MATCH (k:Subsidy)-[l:PAID_TO]->(s)
            RETURN {kind: k.kind, amount: l.amount, year: l.year}
            ORDER BY l.year DESC, k.kind LIMIT 20 } AS subsidies

// name: enterprise_record
// internal: One enterprise with its partner schools and studios, twenty of each at most.
MATCH (e:Enterprise {enterprise_id: $id})
RETURN e.name AS name,
  COUNT { MATCH (:LeadingTalent {enterprise_id: $id}) } AS talents,
  COLLECT { MATCH (e)-[l:PARTNERS_WITH]->(s:School)
            RETURN {id: s.school_id, name: s.name, start: l.start,
                    start_precision: l.start_precision, end: l.end, end_precision: l.end_precision}
            ORDER BY l.start LIMIT 20 } AS partners,
  COLLECT { MATCH (s:Studio)-[:HOSTED_BY]->(e)
            RETURN {id: s.studio_id, name: s.name} ORDER BY s.name LIMIT 20 } AS studios,
  COLLECT { MATCH (j:Project)-[:RUN_BY]->(e)
            RETURN {id: j.project_id, name: j.name, start: j.start,
                    start_precision: j.start_precision, end: j.end,
                    end_precision: j.end_precision}
            ORDER BY j.start DESC, j.project_id LIMIT 20 } AS projects,
  COLLECT { MATCH (k:Subsidy)-[l:PAID_TO]->(e)
            RETURN {kind: k.kind, amount: l.amount, year: l.year}
            ORDER BY l.year DESC, k.kind LIMIT 20 } AS subsidies

// name: enterprise_review
// internal: What tells one enterprise from another when two are compared.
MATCH (e:Enterprise {enterprise_id: $id})
RETURN e.name AS name, e.province AS province, e.industry AS industry, e.ownership AS ownership,
  e.sources AS sources,
  COUNT { MATCH (:Person {enterprise_id: $id}) } AS employees,
  COUNT { MATCH (:Studio)-[:HOSTED_BY]->(e) } AS studios,
  COLLECT { MATCH (a:EnterpriseAlias)-[:DENOTES]->(e)
            RETURN a.alias_id ORDER BY a.alias_id LIMIT 20 } AS further

// name: school_review
// internal: What tells one school from another when two are compared.
MATCH (s:School {school_id: $id})
RETURN s.name AS name, s.province AS province, s.kind AS kind, s.sources AS sources,
  COUNT { MATCH (:Person)-[:TEACHES_AT]->(s) } AS teachers,
  COUNT { MATCH (:Person)-[:TRAINED_AT]->(s) } AS trained,
  COUNT { MATCH (:Enterprise)-[:PARTNERS_WITH]->(s) } AS partners,
  COLLECT { MATCH (a:SchoolAlias)-[:DENOTES_SCHOOL]->(s)
            RETURN a.alias_id ORDER BY a.alias_id LIMIT 20 } AS further

// name: studio_review
// internal: What tells one studio from another when two are compared.
MATCH (s:Studio {studio_id: $id})
RETURN s.name AS name, s.province AS province, s.kind AS kind, s.grade AS grade,
  s.founded AS founded, s.sources AS sources,
  head(COLLECT { MATCH (s)-[:HOSTED_BY]->(h) RETURN h.name }) AS host,
  COLLECT { MATCH (p:Person)-[:LEADS]->(s) RETURN DISTINCT p.name ORDER BY p.name LIMIT 5 } AS leaders,
  COUNT { MATCH (:Person)-[:TRAINED_AT]->(s) } AS trained,
  COLLECT { MATCH (a:StudioAlias)-[:DENOTES_STUDIO]->(s)
            RETURN a.alias_id ORDER BY a.alias_id LIMIT 20 } AS further

// name: school_record
// internal: One school with its teachers and partner enterprises, twenty of each at most.
MATCH (s:School {school_id: $id})
RETURN s.name AS name,
  COLLECT { MATCH (p:Person)-[l:TEACHES_AT]->(s)
            RETURN {id: p.person_id, name: p.name, leading: p:LeadingTalent,
                    part_time: l.part_time, start: l.start, start_precision: l.start_precision,
                    end: l.end, end_precision: l.end_precision}
            ORDER BY NOT p:LeadingTalent, l.start LIMIT 20 } AS teachers,
  COUNT { MATCH (p:Person)-[l:TEACHES_AT]->(s) WHERE p:LeadingTalent AND l.part_time } AS part_time,
  COLLECT { MATCH (e:Enterprise)-[l:PARTNERS_WITH]->(s)
            RETURN {id: e.enterprise_id, name: e.name, start: l.start,
                    start_precision: l.start_precision, end: l.end, end_precision: l.end_precision}
            ORDER BY l.start LIMIT 20 } AS partners,
  COLLECT { MATCH (k:Subsidy)-[l:PAID_TO]->(s)
            RETURN {kind: k.kind, amount: l.amount, year: l.year}
            ORDER BY l.year DESC, k.kind LIMIT 20 } AS subsidies

// name: people_found
// internal: What tells people apart in a list of what is found.
UNWIND $ids AS id
MATCH (p:Person {person_id: id})
RETURN id, p.name AS name, p.province AS province, p:LeadingTalent AS leading,
  p.birth_date.year AS born,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[:PRACTISES]->(o:Occupation) RETURN o.name LIMIT 1 }[0] AS occupation,
  COLLECT { MATCH (p)-[:EMPLOYED_BY]->(e:Enterprise) RETURN e.name LIMIT 1 }[0] AS enterprise,
  COLLECT { MATCH (p)-[:NAMED]->(h:Honour) RETURN DISTINCT h.honour } AS bases,
  COLLECT { MATCH (p)-[:HONOURED]->(h:Honour) RETURN DISTINCT h.honour } AS honours

// name: studios_found
// internal: What tells studios apart in a list of what is found.
UNWIND $ids AS id
MATCH (s:Studio {studio_id: id})
RETURN id, s.name AS name, s.province AS province, s.kind AS kind, s.grade AS grade,
  COLLECT { MATCH (s)<-[l:LEADS]-(p:Person)
            RETURN {id: p.person_id, name: p.name} ORDER BY l.start DESC LIMIT 1 }[0] AS leader,
  COUNT { MATCH (s)<-[:TRAINED_AT]-(p:Person) RETURN DISTINCT p } AS trained

// name: enterprises_found
// internal: All that is stated of enterprises that are found.
UNWIND $ids AS id
MATCH (n:Enterprise {enterprise_id: id})
RETURN id, properties(n) AS properties

// name: schools_found
// internal: All that is stated of schools that are found.
UNWIND $ids AS id
MATCH (n:School {school_id: id})
RETURN id, properties(n) AS properties

// name: occupations_found
// internal: All that is stated of occupations that are found.
UNWIND $ids AS id
MATCH (n:Occupation {code: id})
RETURN id, properties(n) AS properties

// name: competitions_found
// internal: All that is stated of competitions that are found.
UNWIND $ids AS id
MATCH (n:Competition {competition_id: id})
RETURN id, properties(n) AS properties

// name: projects_found
// internal: All that is stated of projects that are found.
UNWIND $ids AS id
MATCH (n:Project {project_id: id})
RETURN id, properties(n) AS properties

// name: provinces_found
// internal: All that is stated of provinces that are found.
UNWIND $ids AS id
MATCH (n:Province {code: id})
RETURN id, properties(n) AS properties

// name: occupation_demand
// internal: The newest year of which the positions open of an occupation are stated.
MATCH (:Occupation {code: $code})-[d:DEMANDED_IN]->()
RETURN d.year AS year, sum(d.positions) AS positions ORDER BY year DESC LIMIT 1

// name: last_recognition_day
// internal: The last day, up to a day, on which anyone was recognised.
OPTIONAL MATCH ()-[r:RECOGNISED]->()
WHERE r.date <= $today
RETURN max(r.date) AS day

// name: own_statement_example
// internal: What the box for one's own statement holds at first.
MATCH (m:Person)-[r:MENTORS]->(p:Person)
WHERE r.start >= date('2026-01-01')
RETURN m.person_id AS person_id, m.name AS name, count(p) AS apprentices
ORDER BY apprentices DESC LIMIT 100
