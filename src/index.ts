/**
 * `kyc-capture`: importing it in a browser defines `<kyc-capture>`; on a server it does nothing.
 */
import { KycCapture } from './element/kyc-capture.ts';

// lit puts a registry of its own on a server, so the document decides.
if (typeof document !== 'undefined' && !customElements.get('kyc-capture')) {
  customElements.define('kyc-capture', KycCapture);
}

export { KycCapture };
export type {
  CaptureDetail,
  ErrorDetail,
  FeedbackDetail,
  KycEventMap,
  ProgressDetail,
  ReadyDetail,
  RungDetail,
  SubmitDetail,
  TroubleDetail,
} from './element/events.ts';
export type { Thresholds } from './element/configuration.ts';
export type { CardMeasure } from './domain/card-rules.ts';
export type { FaceMeasure } from './domain/rules.ts';
export type { CameraRequest, CameraSource } from './session/camera.ts';
export type { CaptureContext } from './session/capture-context.ts';
export type { Diagnosis } from './session/diagnose.ts';
export type { Rung } from './domain/ladder.ts';
export type { Trouble } from './domain/journey.ts';
export {
  CaptureError,
  type ErrorCode,
  type GuidanceCode,
  type Issue,
  type ProviderId,
  type Result,
  type Step,
  type DocumentType,
  type Unit,
} from './domain/result.ts';
export {
  registerProvider,
  type Analytic,
  type AnalyticParameter,
  type Check,
  type ProviderProfile,
} from './providers/profiles.ts';
