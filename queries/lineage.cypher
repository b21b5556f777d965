// Who learnt from whom: chains of mentorships up, down and between people.

// column generation | en: Generation | zh: 代
// column through_id | en: Through (person) | zh: 经由（人员编号）
// column through | en: Through | zh: 经由
// column leading_talent | en: Leading talent | zh: 领军人才
// column hops | en: Hops | zh: 跳数
// column people | en: People | zh: 人数
// column first_id | en: First person | zh: 首位人员编号
// column first | en: First | zh: 首位
// column last_id | en: Last person | zh: 末位人员编号
// column last | en: Last | zh: 末位
// column chain | en: Chain | zh: 师承链
// column path | en: Path | zh: 路径
// column step | en: Step | zh: 步
// column next_step | en: To the next | zh: 与下一位的关系
// column common_hops | en: Hops in all | zh: 合计跳数
// column to_first | en: Hops to the first person | zh: 至第一人的跳数
// column to_second | en: Hops to the second person | zh: 至第二人的跳数
// column mentored_from | en: Apprentice since | zh: 拜师日期
// column mentoring_from | en: Mentor since | zh: 带徒开始日期
// column years_between | en: Years between | zh: 间隔年数
// column apprentices | en: Apprentices | zh: 徒弟数
// column mentors | en: Mentors | zh: 师傅数
// column mentor_names | en: Mentors' names | zh: 师傅姓名
// column arrival | en: Chain begun by | zh: 师承链形成日期
// column high_skilled_on | en: High-skilled on | zh: 成为高技能人才日期
// column channel | en: Channel | zh: 渠道

// name: chain_up
// title.en: Mentors of a person, up the generations
// title.zh: 某人的师承链（向上）
// help.en: Each mentor, mentor's mentor and so on, once, at the nearest generation. "Through" is
// help.en: the person on a shortest chain who stands next below them. Dates are not looked at.
// help.zh: 逐代列出师傅、师傅的师傅等，每人一行，取最近的一代。“经由”是最短链上紧接其下的一位。不考虑日期。
// param person_id: person | en: Person | zh: 人员
// param generations: integer = 3 (1..8) | en: Generations | zh: 代数
MATCH path = SHORTEST 1 (:Person {person_id: $person_id})<-[:MENTORS]-{1,8}(p:Person)
WHERE p.person_id <> $person_id AND length(path) <= $generations
WITH p, length(path) AS generation, nodes(path)[-2] AS below
RETURN generation, p.person_id AS person_id, p.name AS name,
       COLLECT { MATCH (p)-[r:RECOGNISED]->()
                 RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
       p:LeadingTalent AS leading_talent,
       below.person_id AS through_id, below.name AS through
ORDER BY generation, person_id

// name: chain_down
// title.en: Apprentices of a person, down the generations
// title.zh: 某人的徒弟链（向下）
// help.en: Each apprentice, apprentice's apprentice and so on, once, at the nearest generation.
// help.en: "Through" is the person on a shortest chain who stands next above them. Dates are not
// help.en: looked at: for the workers that count, see driven_workers.
// help.zh: 逐代列出徒弟、徒弟的徒弟等，每人一行，取最近的一代。“经由”是最短链上紧接其上的一位。不考虑日期；计入带动人数的名单见 driven_workers。
// param person_id: person | en: Person | zh: 人员
// param generations: integer = 3 (1..8) | en: Generations | zh: 代数
MATCH path = SHORTEST 1 (:Person {person_id: $person_id})-[:MENTORS]->{1,8}(p:Person)
WHERE p.person_id <> $person_id AND length(path) <= $generations
WITH p, length(path) AS generation, nodes(path)[-2] AS above
RETURN generation, p.person_id AS person_id, p.name AS name,
       COLLECT { MATCH (p)-[r:RECOGNISED]->()
                 RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
       p:LeadingTalent AS leading_talent,
       above.person_id AS through_id, above.name AS through
ORDER BY generation, person_id

// name: longest_chains
// title.en: Longest mentorship chains
// title.zh: 最长的师承链
// help.en: The longest chains of mentor, apprentice, apprentice's apprentice ..., one for each last
// help.en: person, nobody twice on a chain, at most 40 hops. Exact as long as no round has more than
// help.en: 20,000 chains of people who mentor (in a store of 1,000,000 mentorships: 20,000 ways
// help.en: through circles), and no circle of mentorships without a mentor from outside is longer
// help.en: than 4.
// help.zh: 师傅、徒弟、徒弟的徒弟……的最长链，每位末位人员一条，同一人不重复出现，最多 40 跳。每轮带徒者的链不超过 20000 条（师徒关系达 100 万条时：每轮经循环关系的路径不超过 20000 条）、且没有外来师傅的循环师徒关系不长于 4 时结果精确。
// param chains: integer = 10 (1..1000) | en: Chains | zh: 师承链数
// Rounds over those who are both apprentices and mentors, who are few; the last hop comes at the
// end. DISTINCT and not an aggregation: that would count all rounds' memory for each of its groups.
MATCH (top:Person)
WHERE EXISTS { (top)-[:MENTORS]->() }
  AND (NOT EXISTS { (top)<-[:MENTORS]-() } OR EXISTS { (top)<-[:MENTORS]-{2,4}(top) })
WITH collect([top]) AS tops
WITH reduce(rounds = [tops], hop IN range(1, 39) | rounds + [COLLECT {
    UNWIND rounds[-1] AS chain
    WITH chain, chain[-1] AS mentor
    MATCH (mentor)-[:MENTORS]->(next:Person)
    WHERE NOT next IN chain AND EXISTS { (next)-[:MENTORS]->() }
    WITH DISTINCT chain, next
    LIMIT 20000
    RETURN chain + next
  }]) AS rounds
UNWIND [hops IN range(size(rounds) - 1, 0, -1) WHERE size(rounds[hops]) > 0] AS hops
UNWIND rounds[hops] AS above
WITH above, hops, above[-1] AS mentor
WHERE EXISTS { MATCH (mentor)-[:MENTORS]->(last)
  WHERE NOT last IN above
    AND NOT EXISTS { MATCH (last)-[:MENTORS]->(next) WHERE NOT next IN above AND next <> last } }
WITH above, hops, mentor
ORDER BY hops DESC, above[0].person_id, mentor.person_id
LIMIT $chains * 10
MATCH (mentor)-[:MENTORS]->(last:Person)
WHERE NOT last IN above
  AND NOT EXISTS { MATCH (last)-[:MENTORS]->(next) WHERE NOT next IN above AND next <> last }
WITH last, hops + 1 AS hops, above + last AS chain
ORDER BY hops DESC, [p IN chain | p.person_id]
WITH last, max(hops) AS hops, collect(chain)[0] AS chain
RETURN hops, hops + 1 AS people,
       chain[0].person_id AS first_id, chain[0].name AS first,
       last.person_id AS last_id, last.name AS last,
       [p IN chain | p.name] AS chain, [p IN chain | p.person_id] AS path
ORDER BY hops DESC, first_id, last_id
LIMIT $chains

// name: path_between
// title.en: Shortest path between two people
// title.zh: 两人之间的最短路径
// help.en: One shortest way along mentorships, in either direction, of at most 15 hops; one row a
// help.en: person. "To the next" says whether this person is the next one's mentor or apprentice.
// help.zh: 沿师徒关系（不分方向）的一条最短路径，最多 15 跳；每人一行。“与下一位的关系”说明此人是下一位的师傅还是徒弟。
// param from_id: person | en: From | zh: 起点人员
// param to_id: person | en: To | zh: 终点人员
MATCH (a:Person {person_id: $from_id}), (b:Person {person_id: $to_id})
MATCH path = SHORTEST 1 (a)-[:MENTORS]-{1,15}(b)
WITH nodes(path) AS people, relationships(path) AS links
UNWIND range(0, size(people) - 1) AS step
WITH step, people[step] AS p, links[step] AS link
RETURN step, p.person_id AS person_id, p.name AS name,
       CASE WHEN link IS NULL THEN null WHEN startNode(link) = p THEN 'mentor of'
            ELSE 'apprentice of' END AS next_step
ORDER BY step

// name: common_mentors
// title.en: Common mentors of two people
// title.zh: 两人的共同师承
// help.en: Everybody from whom chains of at most 8 mentorships lead to both, the nearest first.
// help.zh: 沿不超过 8 代师承链同时通向两人的所有前辈，最近者在前。
// param first_id: person | en: First person | zh: 第一人
// param second_id: person | en: Second person | zh: 第二人
MATCH one = SHORTEST 1 (:Person {person_id: $first_id})<-[:MENTORS]-{1,8}(p:Person)
WITH p, length(one) AS to_first
WITH collect({person: p, hops: to_first}) AS above_first
MATCH two = SHORTEST 1 (:Person {person_id: $second_id})<-[:MENTORS]-{1,8}(p:Person)
WITH above_first, p, length(two) AS to_second
UNWIND [a IN above_first WHERE a.person = p] AS common
WITH p, common.hops AS to_first, to_second
WHERE NOT p.person_id IN [$first_id, $second_id]
RETURN p.person_id AS person_id, p.name AS name, p:LeadingTalent AS leading_talent,
       to_first, to_second, to_first + to_second AS common_hops
ORDER BY common_hops, person_id

// name: driven_workers
// title.en: New high-skilled workers a leading talent drives
// title.zh: 领军人才带动的新增高技能人才
// help.en: Workers whose first recognition at the level or above lies in the window, reached by a
// help.en: chain of mentorships and studio training whose starts never go back, at most so many
// help.en: generations, and begun by the day of the recognition; undated links are left out. The
// help.en: official figure is the engine's (`shicheng driven`), under the policy shown beside it;
// help.en: this is the same rule in Cypher, for one talent and with the names behind the number.
// help.zh: 在统计期内首次达到该等级及以上、且经由师徒和工作室培训链（起始日期不倒退、不超过规定代数、在认定之日前已形成）到达的人员；无日期的关系不计。正式数字以引擎（`shicheng driven`）及其所示口径为准；此处是同一规则的 Cypher 写法，用于查看单个领军人才数字背后的名单。
// param person_id: person | en: Leading talent | zh: 领军人才
// param window_start: date = 2024-01-01 | en: Window from | zh: 统计期起
// param window_end: date = 2026-12-31 | en: Window to | zh: 统计期止
// param generations: integer = 3 (1..6) | en: Generations | zh: 代数
// param high_skilled_level: integer = 4 (1..8) | en: High-skilled from level | zh: 高技能起始等级
// param channels: choice = both (both, mentorship, studio) | en: Channels | zh: 渠道
// param year_alone: choice = last (last, first) | en: A year alone counts from | zh: 仅知年份的起算
// Each round keeps everyone reached with the days on which a chain arrives. (The earliest would do,
// but Neo4j 5.26 takes no aggregation in an expression over a list.)
MATCH (talent:Person {person_id: $person_id})
WITH talent, reduce(
  rounds = [[{person: talent, arrival: date('0001-01-01')}]],
  hop IN range(1, $generations) | rounds + [COLLECT {
    UNWIND rounds[-1] AS at
    WITH at.person AS mentor, at.arrival AS arrival
    CALL (mentor, arrival) {
      MATCH (mentor)-[m:MENTORS]->(next:Person)
      WHERE $channels <> 'studio'
      WITH next, arrival, m.start_precision AS known,
           CASE WHEN $year_alone = 'first' AND m.start_precision = 'year'
                THEN date({year: m.start.year}) ELSE m.start END AS start
      WHERE start >= arrival
      RETURN next, start, known
      UNION ALL
      MATCH (mentor)-[l:LEADS]->(:Studio)<-[t:TRAINED_AT]-(next:Person)
      WHERE $channels <> 'mentorship' AND l.start IS NOT NULL AND t.start IS NOT NULL
      WITH next, arrival, l, t,
           CASE WHEN $year_alone = 'first' AND l.start_precision = 'year'
                THEN date({year: l.start.year}) ELSE l.start END AS led,
           CASE WHEN $year_alone = 'first' AND t.start_precision = 'year'
                THEN date({year: t.start.year}) ELSE t.start END AS trained
      WHERE (l.end IS NULL OR l.end >= trained) AND (t.end IS NULL OR t.end >= led)
        AND (l.end IS NULL OR l.end >= led) AND (t.end IS NULL OR t.end >= trained)
      WITH next, arrival, CASE WHEN led > trained THEN led ELSE trained END AS start,
           CASE WHEN led > trained OR (led = trained AND l.start_precision IS NULL)
                THEN l.start_precision ELSE t.start_precision END AS known
      WHERE start >= arrival
      RETURN next, start, known
    }
    WITH mentor, next, start, known
    WHERE next <> mentor AND next.person_id <> $person_id
    WITH DISTINCT next, start, known
    RETURN {person: next, arrival: start, known: known}
  }]) AS rounds
UNWIND range(1, $generations) AS generation
UNWIND rounds[generation] AS reached
WITH reached.person AS p, generation, reached.arrival AS arrival, reached.known AS known
WITH p, COLLECT {
    MATCH (p)-[r:RECOGNISED]->()
    WHERE r.level >= $high_skilled_level
    RETURN {day: r.date, known: r.date_precision}
    ORDER BY r.date, r.level DESC, r.date_precision DESC LIMIT 1
  }[0] AS first, generation, arrival, known
WITH p, first.day AS high_skilled_on, first.known AS high_skilled_on_precision, generation, arrival,
     known
WHERE $window_start <= high_skilled_on <= $window_end AND arrival <= high_skilled_on
WITH p, high_skilled_on, high_skilled_on_precision, generation, arrival, known
ORDER BY arrival, known DESC
WITH p, high_skilled_on, high_skilled_on_precision, min(generation) AS generation,
     collect({day: arrival, known: known})[0] AS begun
RETURN generation, p.person_id AS person_id, p.name AS name, high_skilled_on,
       high_skilled_on_precision, begun.day AS arrival, begun.known AS arrival_precision,
       COLLECT { MATCH (p)-[r:RECOGNISED]->()
                 RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level
ORDER BY generation, high_skilled_on, person_id

// name: apprentices_who_mentor
// title.en: Apprentices who became mentors
// title.zh: 徒弟成长为师傅
// help.en: People who had a mentor and have apprentices of their own, those with most apprentices
// help.en: first; since when, where the dates are known, and the years between.
// help.zh: 曾拜师、如今自己带徒的人员，徒弟多者在前；有日期时列出拜师与带徒的起始日期和间隔年数。
// param province: province? | en: Province | zh: 省份
// param rows: integer = 200 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (p:Apprentice)
WHERE EXISTS { (p)-[:MENTORS]->() } AND ($province IS NULL OR p.province = $province)
MATCH (p)-[m:MENTORS]->(a)
WITH p, count(DISTINCT a) AS apprentices, min(m.start) AS mentoring_from
ORDER BY apprentices DESC, p.person_id
LIMIT $rows
MATCH (p)<-[m:MENTORS]-()
WITH p, apprentices, mentoring_from, min(m.start) AS mentored_from
RETURN p.person_id AS person_id, p.name AS name, mentored_from, COLLECT {
         MATCH (p)<-[m:MENTORS]-() WHERE m.start = mentored_from
         RETURN m.start_precision ORDER BY m.start_precision DESC LIMIT 1
       }[0] AS mentored_from_precision, mentoring_from, COLLECT {
         MATCH (p)-[m:MENTORS]->() WHERE m.start = mentoring_from
         RETURN m.start_precision ORDER BY m.start_precision DESC LIMIT 1
       }[0] AS mentoring_from_precision,
       duration.between(mentored_from, mentoring_from).years AS years_between, apprentices
ORDER BY apprentices DESC, person_id

// name: co_mentored
// title.en: People with several mentors
// title.zh: 有多位师傅的人员
// help.en: Apprentices of at least so many different people, with their mentors' names.
// help.zh: 师傅数不少于给定值的徒弟及其师傅姓名。
// param mentors: integer = 2 (2..100) | en: Mentors at least | zh: 最少师傅数
// param rows: integer = 200 (1..100000) | en: Rows at most | zh: 最多行数
MATCH (m:Person)-[:MENTORS]->(p:Apprentice)
WITH p, count(DISTINCT m) AS mentors
WHERE mentors >= $mentors
ORDER BY mentors DESC, p.person_id
LIMIT $rows
RETURN p.person_id AS person_id, p.name AS name, mentors,
       COLLECT { MATCH (p)<-[:MENTORS]-(m) WITH DISTINCT m
                 RETURN m.name ORDER BY m.name, m.person_id } AS mentor_names
ORDER BY mentors DESC, person_id
