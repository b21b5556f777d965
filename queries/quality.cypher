// Whether the records can be relied on: what is missing, contradicts itself, was merged, comes whence.

// column with_occupation | en: With occupation | zh: 有职业
// column with_enterprise | en: With enterprise | zh: 有所在企业
// column with_level | en: With level | zh: 有技能等级
// column ids | en: Further ids | zh: 合并编号数
// column other_id | en: Other person (id) | zh: 另一人编号
// column other | en: Other person | zh: 另一人
// column back_from | en: The other way since | zh: 反向开始日期

// name: completeness_by_province
// title.en: How complete people's records are, by province
// title.zh: 各省份人员信息完整度
// help.en: People, and how many of them have an occupation, an enterprise and a level on record.
// help.zh: 人员总数，以及登记了职业、所在企业、技能等级的人数。
// addable: people, with_occupation, with_enterprise, with_level
MATCH (p:Person)
RETURN p.province AS province, count(p) AS people, count(p.occupation_code) AS with_occupation,
       count(p.enterprise_id) AS with_enterprise,
       count(CASE WHEN EXISTS { (p)-[:RECOGNISED]->() } THEN p END) AS with_level
ORDER BY people DESC, province

// name: mentors_without_level
// title.en: Mentors without a level on record
// title.zh: 没有技能等级记录的师傅
// help.en: They mentor, but no recognition of theirs was delivered; with source and row, so that the
// help.en: source can be asked. Most apprentices first.
// help.zh: 有带徒关系但没有等级认定记录的人员，列出来源和行号以便核实，徒弟多者在前。
// param province: province? | en: Province | zh: 省份
// param rows: integer = 1000 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)
WHERE EXISTS { (p)-[:MENTORS]->() } AND NOT EXISTS { (p)-[:RECOGNISED]->() }
  AND ($province IS NULL OR p.province = $province)
RETURN p.person_id AS person_id, p.name AS name, p:LeadingTalent AS leading_talent,
       COUNT { MATCH (p)-[:MENTORS]->(a) RETURN DISTINCT a } AS apprentices,
       p.sources AS sources, p.row AS row
ORDER BY apprentices DESC, person_id
LIMIT $rows

// name: mutual_mentorships
// title.en: Pairs who mentor each other
// title.zh: 互为师徒的人员
// help.en: Both directions are stated. For learning in pairs (peer) that is meant; else one of them
// help.en: may have been delivered the wrong way round.
// help.zh: 双向都有师徒记录。结对互学属正常；其他方式可能有一条方向填反。
// param rows: integer = 1000 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Person)-[m:MENTORS]->(q:Person)-[n:MENTORS]->(p)
WHERE p.person_id < q.person_id
WITH p, q, min(m.start) AS start, min(n.start) AS back_from, collect(m.kind)[0] AS kind
RETURN p.person_id AS person_id, p.name AS name, q.person_id AS other_id, q.name AS other, kind,
       start, back_from
ORDER BY person_id, other_id
LIMIT $rows

// name: records_by_source
// title.en: Records by source
// title.zh: 各来源记录数
// help.en: People, mentorships and recognitions that each source states; what two sources state
// help.en: counts under both. It reads every record: minutes at national size.
// help.zh: 各来源陈述的人员、师徒关系和等级认定数；两个来源共同陈述的分别计入。需读取全部记录，全国数据量下需数分钟。
CALL () {
  MATCH (p:Person) UNWIND p.sources AS source
  RETURN 'people' AS kind, source, count(*) AS records
  UNION ALL
  MATCH (:Person)-[m:MENTORS]->(:Person) UNWIND [] + m.sources AS source
  RETURN 'mentorships' AS kind, source, count(*) AS records
  UNION ALL
  MATCH (:Person)-[r:RECOGNISED]->() UNWIND [] + r.sources AS source
  RETURN 'recognitions' AS kind, source, count(*) AS records
}
RETURN source, kind, records
ORDER BY source, kind

// name: merges_by_basis
// title.en: Merged records, by basis
// title.zh: 记录合并情况
// help.en: How many further ids stand for people, enterprises, schools and studios, and why each was
// help.en: taken for the same: by number, certificate, name, probability or decision.
// help.zh: 人员、企业、院校、工作室被合并的编号数，以及合并依据（身份证号、证书、名称、概率匹配或人工认定）。
// addable: ids
CALL () {
  MATCH (:PersonAlias)-[i:IDENTIFIES]->(r:Person)
  RETURN 'people' AS kind, i.basis AS basis, count(i) AS ids, count(DISTINCT r) AS records
  UNION ALL
  MATCH (:EnterpriseAlias)-[i:DENOTES]->(r:Enterprise)
  RETURN 'enterprises' AS kind, i.basis AS basis, count(i) AS ids, count(DISTINCT r) AS records
  UNION ALL
  MATCH (:SchoolAlias)-[i:DENOTES_SCHOOL]->(r:School)
  RETURN 'schools' AS kind, i.basis AS basis, count(i) AS ids, count(DISTINCT r) AS records
  UNION ALL
  MATCH (:StudioAlias)-[i:DENOTES_STUDIO]->(r:Studio)
  RETURN 'studios' AS kind, i.basis AS basis, count(i) AS ids, count(DISTINCT r) AS records
}
RETURN kind, basis, ids, records
ORDER BY kind, basis
