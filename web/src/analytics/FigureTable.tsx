/** The figures behind a chart, as a table that is opened on demand. On a narrow screen it scrolls sideways, also by the keyboard. */

import type { ComponentChildren } from "preact";

export interface Column<T> {
  name: string;
  /** Words to the left, figures to the right. */
  isText?: boolean;
  cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  name: string;
  columns: Column<T>[];
  rows: readonly T[];
}

export function FigureTable<T>({ name, columns, rows }: Props<T>) {
  return (
    <details class="figures">
      <summary>
        Figures<span class="hidden-visually"> of {name}</span>
      </summary>
      <div class="figures-scroll" role="region" aria-label={`Figures of ${name}`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" class={column.isText === true ? "text" : ""}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <td key={column.name} class={column.isText === true ? "text" : ""} dir={column.isText === true ? "auto" : undefined}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
