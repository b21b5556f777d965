// A button that saves a drawing as a PNG: drawn here, with the fonts of whoever saves it.

/** @import { Component } from "./component.d.ts" */

const LARGEST = 16000; // px a side; browsers draw no larger canvas
/** @typedef {{ svg: string, name: string, label: string }} Picture */

/**
 * @param {Blob} blob
 * @param {string} name
 */
const save = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
/** @param {Picture} drawing */
const draw = async ({ svg, name }) => {
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  await picture.decode();
  const scale = Math.min(2, LARGEST / picture.naturalWidth, LARGEST / picture.naturalHeight);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.naturalWidth * scale);
  canvas.height = Math.round(picture.naturalHeight * scale);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(picture.src);
  canvas.toBlob((blob) => blob && save(blob, name), "image/png");
};
/** @param {Component<Picture>} component */
export default function ({ data, parentElement }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sc-button";
  button.textContent = data.label;
  button.onclick = () => draw(data);
  parentElement.replaceChildren(button);
}
