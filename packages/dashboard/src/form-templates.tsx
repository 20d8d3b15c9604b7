import type { ArrayFieldItemTemplateProps, IconButtonProps, TemplatesType } from "@rjsf/utils";
import { getTemplate, getUiOptions } from "@rjsf/utils";
import { ArrowDown, ArrowUp, Copy, Plus, X } from "lucide-react";

/** The form library's own buttons show letters of a font that nobody has; these are the same with our icons. */
function iconButton(Icon: typeof Plus, name: string, shows: "name" | "icon" = "icon") {
  return function FormButton({ id, className, disabled, onClick }: IconButtonProps) {
    return (
      <button
        type="button"
        id={id}
        className={`inline-flex items-center gap-1.5 ${className ?? ""}`}
        disabled={disabled}
        onClick={onClick}
        {...(shows === "icon" ? { "aria-label": name, title: name } : {})}
      >
        <Icon size={14} aria-hidden="true" />
        {shows === "name" && name}
      </button>
    );
  };
}

/** An entry of a list, and beside it what can be done with it. */
function ListEntry({ children, buttonsProps, hasToolbar, registry, uiSchema }: ArrayFieldItemTemplateProps) {
  const Buttons = getTemplate("ArrayFieldItemButtonsTemplate", registry, getUiOptions(uiSchema));
  return (
    <div className="list-entry">
      {children}
      {hasToolbar && (
        <div className="flex gap-1">
          <Buttons {...buttonsProps} />
        </div>
      )}
    </div>
  );
}

/** What a generated form is made of, where the library's own is of no use without its style sheet. */
export const formTemplates: Partial<Omit<TemplatesType, "ButtonTemplates">> & {
  ButtonTemplates: Partial<TemplatesType["ButtonTemplates"]>;
} = {
  ArrayFieldItemTemplate: ListEntry,
  ButtonTemplates: {
    AddButton: iconButton(Plus, "Add", "name"),
    RemoveButton: iconButton(X, "Remove"),
    ClearButton: iconButton(X, "Clear"),
    CopyButton: iconButton(Copy, "Copy"),
    MoveUpButton: iconButton(ArrowUp, "Move up"),
    MoveDownButton: iconButton(ArrowDown, "Move down"),
  },
};
