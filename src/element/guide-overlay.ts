import { html, nothing, svg, type TemplateResult } from 'lit';
import {
  guideInViewport,
  pictureInViewport,
  pointInPicture,
  type Box,
  type Size,
} from '../domain/geometry.ts';
import type { Quad } from '../domain/homography.ts';
import type { Step } from '../domain/result.ts';
import { STEP_TRAITS } from '../domain/steps.ts';
import type { View } from './views.ts';

/** The shape of a phone's camera, shown until the real one is known. */
const UPRIGHT: Size = { width: 9, height: 16 };

/** Dims what lies outside the guide, draws its outline and that of the card, and the part of the hold that is done. */
export function guideOverlay(view: View, step: Step, progress: number): TemplateResult {
  const { viewport, picture, card } = view;
  const shown = picture ?? UPRIGHT;
  const guide = guideInViewport(step, viewport, shown);
  const shape = STEP_TRAITS[step].guide === 'oval' ? ovalPath(guide) : cardPath(guide);
  // What the hold grows along: the card itself where it is seen.
  const outline = card ? quadPath(card, pictureInViewport(step, viewport, shown), shown) : shape;
  const { width, height } = viewport;
  return html`
    <svg
      class="guide"
      part="guide"
      viewBox="0 0 ${width} ${height}"
      aria-hidden="true"
      @click=${(event: MouseEvent) => focusWhere(view, step, event)}
    >
      <path class="shade" fill-rule="evenodd" d="M0 0H${width}V${height}H0Z ${shape}"></path>
      <path class="outline ${card ? 'left' : ''}" d=${shape}></path>
      ${card ? svg`<path class="outline card" d=${outline}></path>` : nothing}
      ${
        progress > 0
          ? svg`<path class="hold" d=${outline} pathLength="1" stroke-dasharray="${progress} 2"></path>`
          : nothing
      }
    </svg>
  `;
}

/** The overlay lies over the whole picture, so it is what gets touched. */
function focusWhere(view: View, step: Step, { currentTarget, clientX, clientY }: MouseEvent): void {
  if (!view.focuses || !view.picture || !(currentTarget instanceof Element)) return;
  const { x, y } = currentTarget.getBoundingClientRect();
  const touched = { x: clientX - x, y: clientY - y };
  const at = pointInPicture(step, view.viewport, view.picture, view.mirrored, touched);
  if (at) view.act('refocus', at);
}

function quadPath(corners: Quad, shown: Box, picture: Size): string {
  const scale = shown.width / picture.width;
  const places = corners.map(
    ({ x, y }) => `${(shown.x + x * scale).toFixed(1)} ${(shown.y + y * scale).toFixed(1)}`,
  );
  return `M${places.join('L')}Z`;
}

function ovalPath({ x, y, width, height }: Box): string {
  const [rx, ry, cx] = [width / 2, height / 2, x + width / 2];
  return `M${cx} ${y}A${rx} ${ry} 0 0 1 ${cx} ${y + height}A${rx} ${ry} 0 0 1 ${cx} ${y}Z`;
}

/** ISO/IEC 7810: the corners of an ID-1 card have a radius of 3.18 mm, of 85.60 mm of width. */
function cardPath({ x, y, width, height }: Box): string {
  const radius = (width * 3.18) / 85.6;
  const arc = (toX: number, toY: number): string => `A${radius} ${radius} 0 0 1 ${toX} ${toY}`;
  const [right, bottom] = [x + width, y + height];
  return [
    `M${x + radius} ${y}H${right - radius}${arc(right, y + radius)}`,
    `V${bottom - radius}${arc(right - radius, bottom)}`,
    `H${x + radius}${arc(x, bottom - radius)}`,
    `V${y + radius}${arc(x + radius, y)}Z`,
  ].join('');
}
