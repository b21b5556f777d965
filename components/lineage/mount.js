// Mounts the view once the library component has run; sends nothing of its own.
export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const send = {
    select: (id, click) => setStateValue("selected", { id, click }),
    done: (what) => setTriggerValue("done", what),
  };
  parentElement.shichengSend = send;
  parentElement.shichengData = data;
  const show = () => {
    parentElement.shichengView ??= new window.ShichengLineage(parentElement);
    parentElement.shichengView.show(parentElement.shichengData, parentElement.shichengSend);
  };
  if (window.ShichengLineage) show();
  else window.addEventListener("shicheng-lineage-ready", show, { once: true });
  return () => {
    window.removeEventListener("shicheng-lineage-ready", show);
    parentElement.shichengView?.close();
    delete parentElement.shichengView;
  };
}
