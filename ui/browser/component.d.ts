// What a Streamlit component's script is given, for the type checker alone: nothing of it runs.

export interface Component<Data> {
    data: Data;
    parentElement: HTMLElement;
    setStateValue(name: string, value: unknown): void;
    setTriggerValue(name: string, value: unknown): void;
}
