// Where the data comes from.

// column state | en: State | zh: 状态
// column record | en: Record | zh: 记录
// column kind | en: Kind | zh: 类型
// column records | en: Records | zh: 记录数
// column undated | en: Without a first day | zh: 无开始日期
// column dated_share | en: Dated share | zh: 有日期占比

// name: loads
// title.en: What was loaded when
// title.zh: 数据载入记录
// help.en: Every load with its sources, files and rows, the latest first; an "unfinished" one runs
// help.en: now or was broken off, and no figure counts it: load its files again. An "undone" one is
// help.en: taken back by a later entry, which names it.
// help.zh: 每次载入的来源、文件与行数，最近者在前；状态为“未完成”的正在载入或已中断，其数据不计入任何数字，中断的请重新载入；状态为“已撤销”的由其后注明它的一条撤销记录收回。
// addable: rows_read, rows_accepted, rows_rejected
MATCH (l:Load)
RETURN l.load_id AS load_id, l.revision AS revision, l.loader AS loader,
       CASE WHEN l.finished_at IS NULL THEN 'unfinished' WHEN l.undone_at IS NULL THEN 'finished'
       ELSE 'undone' END AS state,
       toString(l.started_at) AS started_at, toString(l.finished_at) AS finished_at,
       l.sources AS sources, l.files AS files, l.rows_read AS rows_read,
       l.rows_accepted AS rows_accepted, l.rows_rejected AS rows_rejected,
       l.merged_ids AS merged_ids, coalesce(l.undoable, false) AS undoable, l.undoes AS undoes,
       l.undone_at AS undone_at, l.undone_by AS undone_by, l.erased AS erased,
       l.erasure_reason AS erasure_reason
ORDER BY coalesce(revision, 1000000000) DESC, load_id DESC

// name: stated_by_several
// title.en: People and mentorships stated by several sources
// title.zh: 多个来源共同陈述的人员和师徒关系
// help.en: Where two departments or systems name the same person or mentorship; with file and row.
// help.zh: 两个及以上部门或系统都陈述的人员或师徒关系，含文件与行号。
// param rows: integer = 1000 (1..100000) | en: Rows at most | zh: 最多行数
// Where one source states everything, nothing need be looked at.
CALL () {
  MATCH (l:Load) UNWIND l.sources AS stated
  RETURN count(DISTINCT stated) AS stating
}
CALL (stating) {
  WITH stating WHERE stating > 1
  MATCH (p:Person)
  WHERE size(p.sources) > 1
  RETURN 'person' AS kind, p.person_id AS record, p.sources AS sources, p.row AS row
  UNION ALL
  WITH stating WHERE stating > 1
  MATCH (m:Person)-[r:MENTORS]->(a:Person)
  WHERE size([] + r.sources) > 1
  RETURN 'mentorship' AS kind, m.person_id + ' > ' + a.person_id AS record,
         r.sources AS sources, r.row AS row
}
RETURN kind, record, sources, row
ORDER BY kind DESC, record, row
LIMIT $rows

// name: mentorships_by_source
// title.en: Mentorships by source, and how many are dated
// title.zh: 各来源的师徒关系及有日期占比
// help.en: A mentorship that two sources state counts under both.
// help.zh: 两个来源共同陈述的师徒关系分别计入。
MATCH (:Person)-[m:MENTORS]->(:Person)
UNWIND [] + m.sources AS source
WITH source, count(m) AS records, count(CASE WHEN m.start IS NULL THEN m END) AS undated
RETURN source, records, undated, round(toFloat(records - undated) / records, 3) AS dated_share
ORDER BY records DESC, source
