import { css } from 'lit';

/** The look of the camera's screen. */
export const cameraStyles = css`
  .camera {
    display: flex;
    flex-direction: column;
    block-size: 100%;
    background: #0b1118;
    color: #fff;
  }
  .camera header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 1rem;
    padding: 0.625rem 0.5rem 0.625rem 1.25rem;
  }
  .camera h2 {
    font-size: 1.0625rem;
  }
  .camera .count {
    color: #b9c4d2;
  }
  .camera header > div {
    flex: 1;
  }
  .rung {
    padding: 0.375rem 0.75rem;
    color: #b9c4d2;
    font-size: 0.8125rem;
    text-align: center;
  }
  .rung:empty {
    display: none;
  }
  .switch {
    inline-size: 3rem;
    padding: 0;
  }
  .stage {
    position: relative;
    flex: 1;
    min-block-size: 0;
    overflow: hidden;
    background: #05080c;
  }
  .picture {
    position: absolute;
  }
  video,
  .guide {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
  }
  .mirrored {
    transform: scaleX(-1);
  }
  .shade {
    fill: rgb(5 8 12 / 55%);
  }
  .outline,
  .hold {
    fill: none;
    stroke: #fff;
    stroke-width: 4;
    transition: stroke 200ms;
  }
  .wrong .outline {
    stroke: #ffc24b;
  }
  .good .outline {
    stroke: rgb(255 255 255 / 45%);
  }
  .outline.left {
    stroke: rgb(255 255 255 / 30%);
    stroke-width: 2;
    stroke-dasharray: 6 8;
  }
  .outline.card {
    stroke-linejoin: round;
  }
  .good .outline.card,
  .hold {
    stroke: #41d98a;
  }
  .hold {
    stroke-width: 7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .hint {
    position: absolute;
    inset-block-start: 0.75rem;
    inset-inline: 0.75rem;
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    inline-size: fit-content;
    max-inline-size: min(calc(100% - 1.5rem), 30rem);
    margin-inline: auto;
    padding: 0.5rem 1rem;
    border-radius: 1.25rem;
    background: rgb(11 17 24 / 82%);
    font-weight: 600;
    line-height: 1.3;
    text-align: center;
    text-wrap: balance;
  }
  .wrong .hint {
    background: #ffc24b;
    color: #241800;
  }
  .good .hint {
    background: #11713f;
  }
  .loading {
    position: absolute;
    inset-inline: 0;
    inset-block-end: 1.25rem;
    display: grid;
    gap: 0.5rem;
    justify-items: center;
    padding-inline: 1.5rem;
    text-align: center;
  }
  .loading p {
    padding: 0.25rem 0.75rem;
    border-radius: 1rem;
    background: rgb(11 17 24 / 75%);
    font-size: 0.875rem;
  }
  .loading progress {
    background: rgb(255 255 255 / 30%);
  }
  .loading progress::-webkit-progress-value {
    background: #fff;
  }
  .loading progress::-moz-progress-bar {
    background: #fff;
  }
  .controls {
    position: absolute;
    inset-inline: 0;
    inset-block-end: 1rem;
    display: grid;
    grid-template-columns: 1fr 4.25rem 1fr;
    align-items: center;
    justify-items: center;
    gap: 0.5rem;
    max-inline-size: 24rem;
    margin-inline: auto;
    padding-inline: 0.5rem;
  }
  .controls > * {
    grid-row: 1;
  }
  .tool {
    display: flex;
    gap: 0.375rem;
    align-items: center;
    padding: 0.5rem 0.875rem;
    border-color: rgb(255 255 255 / 45%);
    background: rgb(11 17 24 / 82%);
    font-size: 0.9375rem;
  }
  .tool[aria-pressed='true'] {
    background: #fff;
    color: #0b1118;
  }
  [data-action='refocus'] {
    grid-column: 3;
  }
  .urged {
    background: #ffc24b;
    color: #241800;
  }
  .round {
    grid-column: 2;
    inline-size: 4.25rem;
    block-size: 4.25rem;
    padding: 0;
    border: 4px solid #fff;
    background: #fff;
    background-clip: content-box;
    padding: 4px;
  }
  .round:disabled {
    opacity: 0.5;
  }

  /* A wide picture leaves no room below its guide, but beside it. */
  @container (min-aspect-ratio: 3 / 2) {
    .controls {
      inset-block: 0;
      inset-inline: auto 0.25rem;
      grid-template: 3rem 4.25rem 3rem / auto;
      align-content: center;
      gap: 1rem;
    }
    .controls > * {
      grid-area: 2 / 1;
    }
    .controls .tool {
      grid-row: 1;
    }
    .controls [data-action='refocus'] {
      grid-row: 3;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .outline,
    .hold {
      transition: none;
    }
  }
  @media (forced-colors: active) {
    .round {
      background: ButtonText;
    }
    .tool[aria-pressed='true'] {
      border-width: 4px;
    }
  }
`;
