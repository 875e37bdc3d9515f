import { css } from 'lit';

/** The look of every screen. A page changes it through the custom properties on `:host` and the parts. */
export const styles = css`
  :host {
    --kyc-accent: #0b5fd7;
    --kyc-on-accent: #fff;
    --kyc-good: #14804a;
    --kyc-wrong: #b3261e;
    --kyc-surface: #fff;
    --kyc-text: #14202e;
    --kyc-muted: #556273;
    --kyc-line: #d4dbe4;
    --kyc-radius: 16px;
    display: block;
    container-type: size;
    block-size: var(--kyc-block-size, min(44rem, 92dvh));
    min-block-size: 26rem;
    overflow: hidden;
    border-radius: var(--kyc-radius);
    background: var(--kyc-surface);
    color: var(--kyc-text);
    font: 400 1rem/1.5 var(--kyc-font, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif);
    text-align: start;
    -webkit-text-size-adjust: 100%;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h2,
  p,
  ol,
  ul {
    margin: 0;
    padding: 0;
  }
  h2 {
    font-size: 1.375rem;
    line-height: 1.25;
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  h2:focus {
    outline: none;
  }
  .count {
    color: var(--kyc-muted);
    font-size: 0.8125rem;
  }
  .icon {
    inline-size: 1.25em;
    block-size: 1.25em;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .panel {
    display: flex;
    flex-direction: column;
    gap: 0.875rem;
    block-size: 100%;
    max-inline-size: 34rem;
    margin-inline: auto;
    padding: clamp(1.25rem, 5cqi, 2.25rem);
    overflow-y: auto;
  }
  .lead {
    color: var(--kyc-muted);
  }
  .plan {
    display: grid;
    gap: 0.875rem;
    margin-block: 0.5rem;
    list-style: none;
  }
  .plan li {
    display: flex;
    gap: 0.875rem;
    align-items: center;
  }
  .badge {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 50%;
    background: color-mix(in srgb, var(--kyc-accent) 10%, transparent);
    color: var(--kyc-accent);
  }
  .privacy {
    display: flex;
    gap: 0.5rem;
    align-items: start;
    color: var(--kyc-muted);
    font-size: 0.875rem;
  }
  .consent {
    font-size: 0.875rem;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin-block-start: auto;
    padding-block-start: 0.5rem;
  }
  .actions button {
    flex: 1 1 9rem;
  }

  button {
    min-block-size: 3rem;
    padding: 0.625rem 1.25rem;
    border: 1px solid transparent;
    border-radius: 999px;
    background: none;
    color: inherit;
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button:focus-visible {
    outline: 3px solid color-mix(in srgb, var(--kyc-accent) 60%, #fff);
    outline-offset: 2px;
  }
  .primary {
    background: var(--kyc-accent);
    color: var(--kyc-on-accent);
  }
  .primary:hover {
    background: color-mix(in srgb, var(--kyc-accent) 88%, #000);
  }
  .secondary {
    border-color: var(--kyc-line);
  }
  .quiet {
    min-block-size: 2.75rem;
    padding-inline: 0.875rem;
  }

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
  progress {
    appearance: none;
    inline-size: min(100%, 20rem);
    block-size: 0.5rem;
    border: 0;
    border-radius: 999px;
    overflow: hidden;
    background: color-mix(in srgb, currentColor 18%, transparent);
    color: inherit;
  }
  progress::-webkit-progress-bar {
    background: none;
  }
  progress::-webkit-progress-value {
    border-radius: 999px;
    background: var(--kyc-accent);
  }
  progress::-moz-progress-bar {
    border-radius: 999px;
    background: var(--kyc-accent);
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
  progress:indeterminate {
    background: linear-gradient(90deg, transparent 0 35%, var(--kyc-accent) 35% 65%, transparent 65%) 0 0 /
      300% 100% color-mix(in srgb, currentColor 18%, transparent);
    animation: waiting 1.6s linear infinite;
  }
  progress:indeterminate::-moz-progress-bar {
    background: none;
  }
  @keyframes waiting {
    from {
      background-position: 100% 0;
    }
    to {
      background-position: 0 0;
    }
  }
  .shutter {
    position: absolute;
    inset-inline: 0;
    inset-block-end: 1rem;
    display: grid;
    justify-items: center;
  }
  .round {
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

  .photo {
    flex: 1;
    min-block-size: 8rem;
    position: relative;
    overflow: hidden;
    border-radius: 12px;
    background: #0b1118;
  }
  .photo img {
    position: absolute;
    inline-size: 100%;
    block-size: 100%;
    object-fit: contain;
  }
  .message {
    align-items: center;
    justify-content: center;
    text-align: center;
  }
  .message .actions {
    inline-size: 100%;
    margin-block-start: 1rem;
    justify-content: center;
  }
  .message .actions button {
    max-inline-size: 16rem;
  }
  .mark {
    display: grid;
    place-items: center;
    inline-size: 4rem;
    block-size: 4rem;
    border-radius: 50%;
    font-size: 1.5rem;
    color: #fff;
    background: var(--kyc-accent);
  }
  .mark.good {
    background: var(--kyc-good);
  }
  .mark.wrong {
    background: var(--kyc-wrong);
  }
  .reasons {
    display: grid;
    gap: 0.25rem;
    padding-inline-start: 1.25rem;
    text-align: start;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }

  @container (max-block-size: 34rem) {
    .plan {
      gap: 0.5rem;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .outline,
    .hold {
      transition: none;
    }
    progress:indeterminate {
      animation-duration: 6s;
    }
  }
  @media (forced-colors: active) {
    .round {
      background: ButtonText;
    }
  }
`;
