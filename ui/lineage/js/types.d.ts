// What the lineage's modules hand each other, for the type checker alone: nothing of it runs.

export type Channel = "mentorship" | "studio" | "teaching";
export type State = "talent" | "driven" | "pending" | "none";
export type Direction = "up" | "down";
/** Texts of the page, by name; {names} in braces are filled in. */
export type Words = Record<string, string>;

/** A curve of a line: x1, y1, the two handles, x2, y2. */
export type Curve = [number, number, number, number, number, number, number, number];

export interface Point {
    x: number;
    y: number;
}

export interface Sight {
    left: number;
    right: number;
    top: number;
    bottom: number;
}

export interface Tokens {
    ink: string;
    muted: string;
    talent: string;
    on_talent: string;
    link: string;
    soft: string;
    hairline: string;
    ring: string;
    bar: string;
    ladder: string[];
    on_ladder: string[];
    ladder_outline: string;
}

/** Persons, driven, pending; the group that a click opens ("": none); whether this one is open. */
export interface Group {
    persons: number;
    driven: number;
    pending: number;
    target: string;
    open: boolean;
}

/** A person or a group: `left` is its box's left edge, `x` and `y` the box's middle. */
export interface Person {
    id: string;
    name: string;
    generation: number;
    layer: number;
    level: number;
    state: State;
    honour: string;
    leading: boolean;
    link: boolean;
    reason: string;
    lines: string[];
    group?: Group;
    indent?: number;
    left: number;
    x: number;
    y: number;
    width: number;
    shown: string;
}

/** A tie; `studio` is the place, among the studios drawn as groups, of the one it goes by. */
export interface Tie {
    from: string;
    to: string;
    channel: Channel;
    start: string;
    end: string;
    studio: number | null;
}

export interface SentStudio {
    id: string;
    name: string;
    count: number;
    closed: boolean;
    layer: number;
    y: number;
}

export interface Studio extends SentStudio {
    text: string;
    width: number;
    left: number;
    x: number;
    leader?: Person;
}

export interface SentPill {
    id: string;
    person: string;
    by: string | null;
    direction: Direction;
    channel: string | null;
    layer: number;
    count: number;
    x: number | null;
    y: number | null;
}

/** A "+N"; `beside`: right next to its person, not in a row of the next column. */
export interface Pill extends Omit<SentPill, "x" | "y"> {
    text: string;
    width: number;
    beside: boolean;
    left: number;
    y: number;
}

/** What a line leads to. */
export type Thing = Person | Studio | Pill;

/** What is drawn from box to box for one or more ties; `half`: to a studio, not to a person. */
export interface Line {
    from: Person | Studio;
    to: Person | Studio;
    channel: Channel;
    edges: Tie[];
    strong: boolean;
    half?: boolean;
}

export interface Flow {
    from: Person;
    to: Person;
    persons: number;
    wide: number;
}

export interface Column {
    layer: number;
    x: number;
    name: string;
    count: string;
    words: string;
}

/** What is at a point: one of these, and where on a line. */
export interface Hit {
    id: string | Line | Flow;
    person?: Person;
    list?: boolean;
    pill?: Pill;
    studio?: Studio;
    line?: Line;
    flow?: Flow;
    x?: number;
    y?: number;
}

/** People and ties as they are sent: columns of plain lists (`_serialize_view`). */
export interface SentView {
    focus: string;
    axis: "generation" | "year";
    id: string[];
    name: string[];
    generation: number[];
    layer: number[];
    level: number[];
    state: string;
    honour: Record<number, string>;
    leading: number[];
    link: number[];
    note: number[];
    notes: string[][];
    x: number[];
    y: number[];
    from: number[];
    to: number[];
    channel: string;
    start: string[];
    end: Record<number, string>;
    studio: Record<number, number>;
    studios: SentStudio[];
    pills: SentPill[];
    hold: string;
    group: Record<number, [number, number, number, string, number]>;
    indent: Record<number, number>;
    flows: [number, number, number][];
    figures: [number, number, number][];
    columns: Column[];
    via: [string, string, Via][];
}

/** Heights at which a line passes columns, or the corners of a line along years. */
export type Via = number[] | [number, number][];

/** A view taken out of its columns. */
export interface DecodedView {
    focus: string;
    axis: "generation" | "year";
    nodes: Person[];
    edges: Tie[];
    columns: Column[];
    pills: SentPill[];
    studios: SentStudio[];
    hold: string;
    figures: [number, number, number][];
    flows: { from: string; to: string; persons: number }[];
    via: Map<string, Via>;
}

/** What changes from click to click (`_build_turn`). */
export interface Turn {
    view: string;
    height: number;
    done: number; // the number of the last event that is in this turn
    selected: string | null;
    also: string[];
    paths: string[][];
    pinned: string[];
    traced: string[];
    marks: string[];
    mark: string;
    branches: { letter: string; name: string; count: string; people: string[] }[];
    window: [string, string] | null;
    years: [number, number] | null;
    ties: [number, number][];
    dates: boolean;
    grouped: boolean;
    filtering: boolean;
    filtered_out: number;
    hidden: number;
    more: number;
    grouping: boolean;
    undo: boolean;
    redo: boolean;
    buttons: [string, string][];
    language: "zh" | "en";
    words: Words;
}

export type View = DecodedView & Turn;

/** How the widget tells Python what was done. */
export interface Channels {
    select(id: string | null, click: number): void;
    done(what: { events: Record<string, unknown>[] }): void;
}

/** The part of vis-network that is used here. */
export interface VisNetwork {
    once(event: string, act: () => void): void;
    // deno-lint-ignore no-explicit-any
    on(event: string, act: (event: any) => void): void;
    redraw(): void;
    destroy(): void;
    moveTo(to: Record<string, unknown>): void;
    moveNode(id: string, x: number, y: number): void;
    getScale(): number;
    getViewPosition(): Point;
    canvasToDOM(at: Point): Point;
    DOMtoCanvas(at: Point): Point;
}

export interface VisDataSet {
    getIds(): string[];
    remove(ids: string[]): void;
    update(entries: object[]): void;
}

declare global {
    /** What Python puts before the library's script (`build_library_script`). */
    const TOKENS: { light: Tokens; dark: Tokens };
    const FONT: string;
    const vis: {
        Network: new (at: HTMLElement, data: object, options: object) => VisNetwork;
        DataSet: new (entries: object[]) => VisDataSet;
    };
    interface Window {
        ShichengLineage?: typeof import("./lineage.js").Lineage;
        shichengPeople?: Map<string, SentView>;
    }
}
