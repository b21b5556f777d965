// Takes in the people and ties of a view and keeps the last few by their hash; draws nothing.
const KEPT = 12;
export default function ({ data }) {
  const kept = (window.shichengPeople ??= new Map());
  kept.delete(data.hash);
  kept.set(data.hash, data);
  while (kept.size > KEPT) kept.delete(kept.keys().next().value);
  window.dispatchEvent(new Event("shicheng-lineage-people"));
}
