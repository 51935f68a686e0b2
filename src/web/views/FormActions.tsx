import type { ReactNode } from "react";

/** The end of a form: what sends it, and what leaves it. */
interface FormActionsProps {
  /** What sending does. */
  children: ReactNode;
  isDisabled?: boolean;
  onCancel: () => void;
}

export const FormActions = ({ children, isDisabled = false, onCancel }: FormActionsProps): ReactNode => (
  <div className="actions">
    <button type="submit" className="primary" disabled={isDisabled}>
      {children}
    </button>
    <button type="button" onClick={onCancel}>
      Cancel
    </button>
  </div>
);
