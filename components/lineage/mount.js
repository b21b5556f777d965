// Mounts the view once the library and the people it is to show are there; sends nothing itself.
export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const send = {
    select: (id, click) => setStateValue("selected", { id, click }),
    done: (what) => setTriggerValue("done", what),
  };
  parentElement.shichengSend = send;
  parentElement.shichengData = data;
  const show = () => {
    const turn = parentElement.shichengData;
    const people = window.shichengPeople?.get(turn.view);
    if (!window.ShichengLineage || !people) return;
    parentElement.shichengView ??= new window.ShichengLineage(parentElement);
    parentElement.shichengView.show(turn, people, parentElement.shichengSend);
  };
  const waits = ["shicheng-lineage-ready", "shicheng-lineage-people"];
  if (parentElement.shichengWait) for (const name of waits) window.removeEventListener(name, parentElement.shichengWait);
  const wait = () => { if (parentElement.shichengView?.data?.view !== parentElement.shichengData.view) show(); };
  parentElement.shichengWait = wait;
  for (const name of waits) window.addEventListener(name, wait);
  show();
  return () => {
    for (const name of waits) window.removeEventListener(name, wait);
    parentElement.shichengView?.close();
    delete parentElement.shichengView;
  };
}
