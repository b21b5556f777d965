import { Lineage } from "./lineage.js";

// The library's script: vis-network stands before it, and `mount.js` waits for what it announces.
window.ShichengLineage = Lineage;
window.dispatchEvent(new Event("shicheng-lineage-ready"));

export default function () {}
