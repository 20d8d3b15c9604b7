// Not from the index, which includes a second validator.
import SchemaField from "@rjsf/core/lib/components/fields/SchemaField.js";
import {
  ADDITIONAL_PROPERTY_FLAG,
  type ArrayFieldItemTemplateProps,
  buttonId,
  type CyclicSchemaExpandProps,
  errorId,
  type FieldErrorProps,
  type FieldProps,
  getTemplate,
  getUiOptions,
  type IconButtonProps,
  ID_KEY,
  type MultiSchemaFieldTemplateProps,
  type TemplatesType,
  type WrapIfAdditionalTemplateProps,
} from "@rjsf/utils";
import { ArrowDown, ArrowUp, CircleAlert, Copy, Plus, X } from "lucide-react";
import { isValidElement } from "react";

/** Buttons with our icons. The form library's own need an icon font. */
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

/** An entry of a list with its buttons. */
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

/** A field. List entries are numbered from 1: `toppings 2`, or `matrix 2.1` in a nested list. */
function NamedField(props: FieldProps) {
  const { index, schema, title = "", uiSchema } = props;
  if (index === undefined) return <SchemaField {...props} />;
  const list = schema.title ?? title.replace(/-\d+$/, "");
  const name = `${list}${/ [\d.]+$/.test(list) ? "." : " "}${index + 1}`;
  return <SchemaField {...props} uiSchema={{ ...uiSchema, "ui:title": name }} />;
}

/** Custom fields. */
export const formFields = { SchemaField: NamedField };

/** Alternatives: a choice, followed by its fields. */
function Alternatives({ selector, optionSchemaField }: MultiSchemaFieldTemplateProps) {
  const name = isValidElement<{ label?: string }>(selector) ? selector.props.label : undefined;
  return (
    <div className="alternatives">
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is the library's */}
      <label>
        <span className="sr-only">{name || "Alternative"}</span>
        {selector}
      </label>
      {optionSchemaField}
    </div>
  );
}

/** A field. Fields of a record can be renamed and removed. */
function Field(props: WrapIfAdditionalTemplateProps) {
  const { id, classNames, label, schema, children, onKeyRenameBlur, onRemoveProperty, rawErrors, registry, uiSchema } =
    props;
  const look = `form-group ${classNames ?? ""} ${rawErrors?.length ? "has-error" : ""}`;
  if (!(ADDITIONAL_PROPERTY_FLAG in schema)) return <div className={look}>{children}</div>;
  const { RemoveButton } = registry.templates.ButtonTemplates;
  return (
    <div className={`${look} record-entry`}>
      <label htmlFor={`${id}-key`}>
        Name
        <input key={label} id={`${id}-key`} type="text" defaultValue={label} onBlur={onKeyRenameBlur} />
      </label>
      <div>{children}</div>
      <RemoveButton
        id={buttonId(id, "remove")}
        onClick={onRemoveProperty}
        {...(uiSchema ? { uiSchema } : {})}
        registry={registry}
      />
    </div>
  );
}

/** A recursive type, which expands on request because it has no end. */
function GoOn({ name, fieldPathId, onExpand }: CyclicSchemaExpandProps) {
  const id = fieldPathId[ID_KEY];
  return (
    <button type="button" id={`${id}-button`} onClick={() => onExpand(id)} className="inline-flex items-center gap-1.5">
      <Plus size={14} aria-hidden="true" />
      Fill in {name}
    </button>
  );
}

/** The errors of a field, with an icon in addition to the color. */
function Errors({ errors = [], fieldPathId }: FieldErrorProps) {
  if (errors.length === 0) return null;
  return (
    <ul id={errorId(fieldPathId)} className="error-detail">
      {errors.map((error) => (
        <li key={String(error)} className="flex items-start gap-1.5">
          <CircleAlert size={14} aria-hidden="true" className="mt-0.5 shrink-0" />
          <span>{error}</span>
        </li>
      ))}
    </ul>
  );
}

/** Templates for the form. The library's own are unusable without its style sheet. */
export const formTemplates: Partial<Omit<TemplatesType, "ButtonTemplates">> & {
  ButtonTemplates: Partial<TemplatesType["ButtonTemplates"]>;
} = {
  ArrayFieldItemTemplate: ListEntry,
  MultiSchemaFieldTemplate: Alternatives,
  WrapIfAdditionalTemplate: Field,
  CyclicSchemaExpandTemplate: GoOn,
  FieldErrorTemplate: Errors,
  ButtonTemplates: {
    AddButton: iconButton(Plus, "Add", "name"),
    RemoveButton: iconButton(X, "Remove"),
    ClearButton: iconButton(X, "Clear"),
    CopyButton: iconButton(Copy, "Copy"),
    MoveUpButton: iconButton(ArrowUp, "Move up"),
    MoveDownButton: iconButton(ArrowDown, "Move down"),
  },
};
